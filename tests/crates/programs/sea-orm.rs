//! Entities in PostgreSQL: inserted, found, changed and deleted, and a transaction that is taken back.

use sea_orm::entity::prelude::*;
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ConnectOptions, ConnectionTrait, Database, QueryOrder, Schema, TransactionTrait,
};

mod fruit {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "fruit")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        pub name: String,
        pub number: i32,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

fn some(name: &str, number: i32) -> fruit::ActiveModel {
    fruit::ActiveModel { id: NotSet, name: Set(name.to_owned()), number: Set(number) }
}

#[tokio::main]
async fn main() -> Result<(), DbErr> {
    let address = std::env::args().nth(1).expect("the server's address");
    let mut options = ConnectOptions::new(format!("postgres://tester@{address}/postgres"));
    options.max_connections(3).sqlx_logging(false);
    let database = Database::connect(options).await?;
    let schema = Schema::new(database.get_database_backend());
    database.execute(&schema.create_table_from_entity(fruit::Entity)).await?;

    let tasks: Vec<_> = [("apple", 3), ("pear", 4), ("plum", 5)]
        .map(|(name, number)| {
            let database = database.clone();
            tokio::spawn(async move { some(name, number).insert(&database).await })
        })
        .into();
    for task in tasks {
        assert!(task.await.unwrap()?.id > 0);
    }
    let transaction = database.begin().await?;
    fruit::Entity::delete_many().exec(&transaction).await?;
    transaction.rollback().await?;

    let found = fruit::Entity::find().filter(fruit::Column::Number.gt(3));
    let found = found.order_by_desc(fruit::Column::Number).all(&database).await?;
    let names: Vec<_> = found.iter().map(|fruit| fruit.name.as_str()).collect();
    assert_eq!(names, ["plum", "pear"]);
    let mut plum: fruit::ActiveModel = found[0].clone().into();
    plum.number = Set(50);
    assert_eq!(plum.update(&database).await?.number, 50);
    fruit::Entity::delete_by_id(found[1].id).exec(&database).await?;
    assert_eq!(fruit::Entity::find().count(&database).await?, 2);
    database.close().await?;
    println!("ok");
    Ok(())
}
