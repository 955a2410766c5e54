//! The drop-in's attributes expand to `tokio`, and the other macros need no name at all.

#[tokio::main]
async fn main_on_any_function() -> u8 {
    let task = tokio::spawn(async { 1 });
    tokio::select! { n = task => n.unwrap() }
}

#[test]
fn expands_to_tokio() {
    assert_eq!(main_on_any_function(), 1);
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn test_attribute() {
    tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    let (a, b) = tokio::join!(async { 1 }, async { 2 });
    assert_eq!(a + b, 3);
}

// As with tokio, the name is looked up where the attribute stands: a re-export will do.
mod reexport {
    mod elsewhere {
        pub(crate) mod tokio {
            pub(crate) use ::tokio::{pin, runtime, test};
        }
    }
    use elsewhere::tokio;

    #[tokio::test]
    async fn through_a_reexport() {
        let f = async {};
        tokio::pin!(f);
        f.await;
    }
}
