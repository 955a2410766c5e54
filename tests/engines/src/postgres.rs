//! Guests that talk to PostgreSQL.

use anyhow::Result;
use xtask::engine::Engine;
use xtask::postgres::Server;

use crate::world::{LIMIT, World};
use crate::{Case, Needs};

const NEEDS: Needs = &["initdb", "postgres"];

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "crates_postgres_client",
        needs: NEEDS,
        on: &[Engine::Wasip2, Engine::Stock],
        run: |world| client(world, "postgres-client"),
    },
    // The version that compiles for wasip2 does not run on wasip1 (examples/sql).
    Case {
        name: "crates_postgres_client",
        needs: NEEDS,
        on: &[Engine::Wasio, Engine::Wasmedge],
        run: |world| client(world, "postgres-client-wasip1"),
    },
    Case {
        name: "crates_sqlx",
        needs: NEEDS,
        on: &[Engine::Wasio, Engine::Wasmedge, Engine::Wasip2, Engine::Stock],
        run: sqlx,
    },
];

fn client(world: &World, program: &str) -> Result<()> {
    let server = Server::start(&format!("{}-{program}", world.engine().name()))?;
    let guest = world.launch_crate(program)?.args([&server.address, "tester", "postgres"]);
    guest.spawn(program)?.finish(LIMIT)?.prints("plum 5\npear 4\napple 3")?;
    Ok(())
}

fn sqlx(world: &World) -> Result<()> {
    let server = Server::start(&format!("{}-sqlx", world.engine().name()))?;
    let url = format!("postgres://tester@{}/postgres", server.address);
    let guest = world.launch_crate("sqlx")?.arg(url);
    guest.spawn("sqlx")?.finish(LIMIT)?.prints("72\napple 3\npear 4\nplum 5")?;
    Ok(())
}
