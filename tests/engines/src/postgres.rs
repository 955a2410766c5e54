//! Guests that talk to PostgreSQL.

use anyhow::Result;
use xtask::postgres::Server;
use xtask::targets::Target;

use crate::world::{LIMIT, World};
use crate::{Case, Needs, WASM};

const NEEDS: Needs = &["initdb", "postgres"];

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "crates_postgres_client",
        needs: NEEDS,
        on: |on| on.target() == Some(Target::P2),
        run: |world| client(world, "postgres-client"),
    },
    // The version that compiles for wasip2 does not run on wasip1 (examples/sql).
    Case {
        name: "crates_postgres_client",
        needs: NEEDS,
        on: |on| on.target() == Some(Target::P1),
        run: |world| client(world, "postgres-client-wasip1"),
    },
    Case { name: "crates_sqlx", needs: NEEDS, on: WASM, run: sqlx },
];

fn client(world: &World, program: &str) -> Result<()> {
    let server = Server::start(&format!("{}-{program}", world.platform().name()))?;
    let guest = world.launch_crate(program)?.args([&server.address, "tester", "postgres"]);
    guest.spawn(program)?.finish(LIMIT)?.prints("plum 5\npear 4\napple 3")?;
    Ok(())
}

fn sqlx(world: &World) -> Result<()> {
    let server = Server::start(&format!("{}-sqlx", world.platform().name()))?;
    let url = format!("postgres://tester@{}/postgres", server.address);
    let guest = world.launch_crate("sqlx")?.arg(url);
    guest.spawn("sqlx")?.finish(LIMIT)?.prints("72\napple 3\npear 4\nplum 5")?;
    Ok(())
}
