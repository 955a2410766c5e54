//! `select!`, `join!`, `try_join!`, `pin!` and `task_local!`.
//!
//! They refer to everything through `$crate`, so they work under any name of this crate or of one that re-exports it.
//! Items that only the expansions use are in [`support`].

mod join;
mod maybe_done;
pub mod support;

/// Waits on several branches at once, runs the handler of the first one that is done and drops the rest.
///
/// ```text
/// select! {
///     biased;                                        // optional
///     PATTERN = FUTURE, if CONDITION => HANDLER,     // up to 64 of these; the condition is optional
///     else => EXPRESSION                             // optional
/// }
/// ```
///
/// The conditions are evaluated first, once. A branch whose condition is false is disabled; its future
/// expression is evaluated nevertheless. Then the futures of the enabled branches are polled on the current
/// task. When one completes and its output matches the branch's pattern, all futures are dropped, and the
/// handler runs with the pattern's bindings. The value of the handler is the value of the `select!`. A branch
/// whose output does not match is disabled. When every branch is disabled, `else` is evaluated.
///
/// A handler may use `.await`, `?`, `break` and `return`, and may borrow what another branch's future
/// borrowed. A handler that is a block needs no comma behind it.
///
/// # Fairness
///
/// Each poll begins with a branch that is chosen pseudo-randomly, in the same way in every run of the program.
/// With `biased;` the branches are polled from top to bottom. That is cheaper, but a branch at the top that is
/// always ready starves the others.
///
/// # Panics
///
/// Panics if every branch is disabled and there is no `else`.
///
/// # Cancel safety
///
/// The futures that did not complete are dropped. In a loop, their progress is lost, unless the operation is
/// cancel safe (see its documentation), or the future is created before the loop and the branch polls
/// `&mut future`.
///
/// # Examples
///
/// ```
/// use wasio::time::{Duration, sleep};
///
/// # #[wasio::main(flavor = "current_thread")]
/// # async fn main() {
/// let winner = wasio::select! {
///     () = sleep(Duration::from_millis(1)) => "short",
///     () = sleep(Duration::from_secs(60)) => "long",
/// };
/// assert_eq!(winner, "short");
/// # }
/// ```
///
/// A future that is polled across the iterations of a loop:
///
/// ```
/// use wasio::sync::mpsc;
/// use wasio::time::{Duration, sleep};
///
/// # #[wasio::main(flavor = "current_thread")]
/// # async fn main() {
/// let (tx, mut rx) = mpsc::channel(4);
/// tx.try_send(1).unwrap();
/// tx.try_send(2).unwrap();
/// drop(tx);
///
/// let deadline = sleep(Duration::from_secs(5));
/// wasio::pin!(deadline);
/// let mut sum = 0;
/// loop {
///     wasio::select! {
///         Some(n) = rx.recv() => sum += n,
///         () = &mut deadline, if sum > 100 => break,
///         else => break,
///     }
/// }
/// assert_eq!(sum, 3);
/// # }
/// ```
#[macro_export]
macro_rules! select {
    (biased; $($branches:tt)*) => { $crate::__select!([biased] () $($branches)*) };
    ($($branches:tt)*) => { $crate::__select!([fair] () $($branches)*) };
}

// Removes one branch per call, so that 64 branches stay below the recursion limit.
#[doc(hidden)]
#[macro_export]
macro_rules! __select {
    // No branch is left: generate the code.
    ([$order:ident] ()) => {
        ::core::compile_error!("select! requires at least one branch.")
    };
    ([$order:ident] () else => $otherwise:expr $(,)?) => { $otherwise };
    ([$order:ident] ($($done:tt)+)) => {
        $crate::macro_support::select_branches! {
            [$crate::macro_support] [$order]
            { ::core::panic!("all branches are disabled and there is no else branch") }
            $($done)+
        }
    };
    ([$order:ident] ($($done:tt)+) else => $otherwise:expr $(,)?) => {
        $crate::macro_support::select_branches! {
            [$crate::macro_support] [$order] { $otherwise } $($done)+
        }
    };
    // A block ends its branch, with or without a comma after it.
    ([$order:ident] ($($done:tt)*)
        $pattern:pat = $future:expr $(, if $condition:expr)? => $handler:block, $($rest:tt)*
    ) => {
        $crate::__select!([$order]
            ($($done)* ({$pattern} {$future} {$($condition)?} {$handler})) $($rest)*)
    };
    ([$order:ident] ($($done:tt)*)
        $pattern:pat = $future:expr $(, if $condition:expr)? => $handler:block $($rest:tt)*
    ) => {
        $crate::__select!([$order]
            ($($done)* ({$pattern} {$future} {$($condition)?} {$handler})) $($rest)*)
    };
    ([$order:ident] ($($done:tt)*)
        $pattern:pat = $future:expr $(, if $condition:expr)? => $handler:expr
    ) => {
        $crate::__select!([$order]
            ($($done)* ({$pattern} {$future} {$($condition)?} {$handler})))
    };
    ([$order:ident] ($($done:tt)*)
        $pattern:pat = $future:expr $(, if $condition:expr)? => $handler:expr, $($rest:tt)*
    ) => {
        $crate::__select!([$order]
            ($($done)* ({$pattern} {$future} {$($condition)?} {$handler})) $($rest)*)
    };
}

/// Polls all of the futures until they are complete, and returns a tuple of their outputs.
///
/// The futures run on the current task: concurrently, not in parallel. Each poll begins with the next future, so
/// that a future that uses up the task's budget does not starve the others. `join!(biased; …)` always begins with
/// the first.
///
/// # Cancel safety
///
/// Dropping the future early drops all of the futures, and the outputs of those that are complete.
///
/// # Examples
///
/// ```
/// # #[wasio::main(flavor = "current_thread")]
/// # async fn main() {
/// let (a, b) = wasio::join!(async { 1 }, async { "two" });
/// assert_eq!((a, b), (1, "two"));
/// # }
/// ```
#[macro_export]
macro_rules! join {
    (biased; $($future:expr),* $(,)?) => { $crate::__join!(join Biased [] $($future,)*) };
    ($($future:expr),* $(,)?) => { $crate::__join!(join Rotating [] $($future,)*) };
}

/// Polls all of the futures until they are complete, or until one returns `Err`.
///
/// Returns `Ok` with a tuple of the values in the futures' `Ok`s, or the first `Err`. The other futures are dropped
/// then. All have the same error type. The futures run on the current task. Each poll begins with the next future;
/// `try_join!(biased; …)` always begins with the first.
///
/// # Cancel safety
///
/// Dropping the future early drops all of the futures, and the outputs of those that are complete.
///
/// # Examples
///
/// ```
/// # #[wasio::main(flavor = "current_thread")]
/// # async fn main() {
/// let good = async { Ok::<_, &str>(1) };
/// let bad = async { Err::<(), _>("no") };
/// assert_eq!(wasio::try_join!(good, bad), Err("no"));
/// # }
/// ```
#[macro_export]
macro_rules! try_join {
    (biased; $($future:expr),* $(,)?) => { $crate::__join!(try_join Biased [] $($future,)*) };
    ($($future:expr),* $(,)?) => { $crate::__join!(try_join Rotating [] $($future,)*) };
}

// Pairs each expression with a variable. `future` is a different one in each round of the recursion.
#[doc(hidden)]
#[macro_export]
macro_rules! __join {
    (join $order:ident []) => { async {}.await };
    (try_join $order:ident []) => { async { $crate::macro_support::Result::Ok(()) }.await };
    ($kind:ident $order:ident [$($done:tt)*] $first:expr, $($rest:tt)*) => {
        $crate::__join!($kind $order [$($done)* (future $first)] $($rest)*)
    };
    (join $order:ident [$(($future:ident $given:expr))+]) => {{
        let mut futures = ($($crate::macro_support::maybe_done($given),)+);
        // The closure holds a reference and not the futures, because it may be moved and they may not.
        let futures = &mut futures;
        let mut order = $crate::macro_support::$order::default();
        $crate::macro_support::poll_fn(move |cx| {
            let ($($future,)+) = &mut *futures;
            // SAFETY: the tuple lives in the enclosing `async` body, behind a reference that only this closure has.
            // Nothing moves the futures until they are dropped.
            $(let mut $future = unsafe { $crate::macro_support::Pin::new_unchecked($future) };)+
            let polled =
                $crate::macro_support::poll_all(&mut order, &mut [$($future.as_mut()),+], cx);
            $crate::macro_support::ready!(polled);
            // Unreachable if an output is uninhabited.
            #[allow(unreachable_code)]
            $crate::macro_support::Poll::Ready(($($future.as_mut().output(),)+))
        })
        .await
    }};
    (try_join $order:ident [$(($future:ident $given:expr))+]) => {{
        let mut futures = ($($crate::macro_support::maybe_done($given),)+);
        let futures = &mut futures;
        let mut order = $crate::macro_support::$order::default();
        $crate::macro_support::poll_fn(move |cx| {
            let ($($future,)+) = &mut *futures;
            // SAFETY: as in `join!` above.
            $(let mut $future = unsafe { $crate::macro_support::Pin::new_unchecked($future) };)+
            let polled =
                $crate::macro_support::try_poll_all(&mut order, &mut [$($future.as_mut()),+], cx);
            if let $crate::macro_support::Result::Err(_) = $crate::macro_support::ready!(polled) {
                $(
                    if let $crate::macro_support::Option::Some(error) = $future.as_mut().error() {
                        return $crate::macro_support::Poll::Ready(error);
                    }
                )+
            }
            #[allow(unreachable_code)]
            $crate::macro_support::Poll::Ready($crate::macro_support::Result::Ok(
                ($($future.as_mut().ok(),)+)
            ))
        })
        .await
    }};
}

/// Pins values to the stack: `pin!(future)` turns the variable into a `Pin<&mut _>` of the same name.
///
/// Needed to `.await` or `select!` on `&mut future` where the future is not `Unpin`. With
/// `pin! { let a = future(); }` the value is computed and pinned at once.
///
/// # Examples
///
/// ```
/// # #[wasio::main(flavor = "current_thread")]
/// # async fn main() {
/// let future = async { 5 };
/// wasio::pin!(future);
/// assert_eq!((&mut future).await, 5);
/// # }
/// ```
#[macro_export]
macro_rules! pin {
    ($($name:ident),* $(,)?) => {
        $(
            // Shadowed by its pin, the value cannot be moved any more.
            #[allow(unused_mut)]
            let mut $name = ::core::pin::pin!($name);
        )*
    };
    ($(let $name:ident = $value:expr;)*) => {
        $(
            let $name = $value;
            $crate::pin!($name);
        )*
    };
}

/// Declares task-local values: statics whose value belongs to a task, or to a part of one.
///
/// Each becomes a [`LocalKey`](crate::task::LocalKey), which gives the value to a future with `scope`.
///
/// # Examples
///
/// ```
/// wasio::task_local! {
///     /// Who asked.
///     pub static USER: String;
///     static REQUEST: u32;
/// }
///
/// # #[wasio::main(flavor = "current_thread")]
/// # async fn main() {
/// USER.scope("ann".to_owned(), async {
///     assert_eq!(USER.get(), "ann");
/// })
/// .await;
/// assert!(REQUEST.try_get().is_err());
/// # }
/// ```
#[macro_export]
macro_rules! task_local {
    () => {};
    ($(#[$attr:meta])* $vis:vis static $name:ident: $t:ty $(; $($rest:tt)*)?) => {
        $(#[$attr])*
        $vis static $name: $crate::task::LocalKey<$t> = {
            ::std::thread_local! {
                static KEY: $crate::macro_support::RefCell<$crate::macro_support::Option<$t>> =
                    const { $crate::macro_support::RefCell::new($crate::macro_support::Option::None) };
            }
            $crate::task::LocalKey::new(KEY)
        };
        $($crate::task_local!($($rest)*);)?
    };
}
