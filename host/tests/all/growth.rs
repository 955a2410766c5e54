//! Memories and tables of every kind, grown in every order, stay within the guest's limits.

use std::fmt::Write as _;

use wasio_host::{Engine, Guest, Instance, Program};

use crate::support::*;

const PAGE: u64 = 1 << 16;
const MAX_PAGES: u64 = 40;
const MAX_ELEMENTS: u64 = 5000;

/// A memory or a table of the module under test.
#[derive(Clone, Copy, Debug)]
struct Kind {
    is_memory: bool,
    is_64: bool,
    /// In pages or elements.
    minimum: u64,
    maximum: Option<u64>,
}

impl Kind {
    fn random(random: &mut fastrand::Rng) -> Kind {
        let is_memory = random.bool();
        let (small, large) = if is_memory { (3, 30) } else { (50, 4000) };
        Kind {
            is_memory,
            is_64: random.bool(),
            minimum: random.u64(..small),
            maximum: random.bool().then(|| random.u64(small..large)),
        }
    }

    /// The largest size that it can be asked for, whatever is declared.
    fn largest(self) -> u64 {
        match (self.is_memory, self.is_64) {
            (true, false) => 1 << 16,
            // The host's addresses end before.
            (true, true) => 1 << 31,
            (false, false) => u64::from(u32::MAX),
            (false, true) => u64::MAX,
        }
    }

    /// Its definition, and functions that grow it and tell its size: all of them of 64 bits.
    fn define(self, n: usize, text: &mut String) {
        let index = if self.is_64 { "i64" } else { "i32" };
        let limits = match self.maximum {
            Some(maximum) => format!("{} {maximum}", self.minimum),
            None => self.minimum.to_string(),
        };
        let (wrap, extend) = match self.is_64 {
            true => ("", ""),
            false => ("(i32.wrap_i64 ", "(i64.extend_i32_s "),
        };
        let close = if self.is_64 { "" } else { ")" };
        let (definition, grow, size) = match self.is_memory {
            true => (
                format!("(memory $x{n} {index} {limits})"),
                format!("(memory.grow $x{n} {wrap}(local.get 0){close})"),
                format!("(memory.size $x{n})"),
            ),
            false => (
                format!("(table $x{n} {index} {limits} funcref)"),
                format!("(table.grow $x{n} (ref.null func) {wrap}(local.get 0){close})"),
                format!("(table.size $x{n})"),
            ),
        };
        write!(
            text,
            "{definition}
             (func (export \"grow{n}\") (param i64) (result i64) {extend}{grow}{close})
             (func (export \"size{n}\") (result i64) {extend}{size}{close})"
        )
        .unwrap();
    }
}

async fn grow(instance: &mut Instance, n: usize, delta: u64) -> i64 {
    instance.call_async::<i64, i64>(&format!("grow{n}"), delta as i64).await.unwrap()
}

async fn size(instance: &mut Instance, n: usize) -> u64 {
    instance.call_async::<(), i64>(&format!("size{n}"), ()).await.unwrap() as u64
}

/// Grows what a random module has, in a random order, by a little, by too much, and by what is no size at all.
async fn grow_at_random(seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let kinds: Vec<Kind> = (0..random.usize(1..6)).map(|_| Kind::random(&mut random)).collect();
    let mut text = String::from("(module ");
    for (n, kind) in kinds.iter().enumerate() {
        kind.define(n, &mut text);
    }
    text.push(')');
    let guest = Guest::builder(&wat(&text))
        .max_memory((MAX_PAGES * PAGE) as usize)
        .max_table_elements(MAX_ELEMENTS as usize)
        .build()
        .unwrap();
    let stats = guest.stats();
    let mut instance = guest.instantiate().await.unwrap();
    let mut sizes: Vec<u64> = kinds.iter().map(|kind| kind.minimum).collect();
    let used = |sizes: &[u64], is_memory| -> u64 {
        let same = kinds.iter().zip(sizes).filter(|(kind, _)| kind.is_memory == is_memory);
        same.map(|(_, size)| *size).sum()
    };
    for step in 0..60 {
        let n = random.usize(..kinds.len());
        let kind = kinds[n];
        let word = if kind.is_64 { u64::MAX } else { u64::from(u32::MAX) };
        let delta = match random.u32(..8) {
            0 => word,
            1 => word - sizes[n],
            2 => kind.largest().saturating_sub(sizes[n]).min(word),
            3 => kind.largest().saturating_sub(sizes[n]).saturating_add(1).min(word),
            4 => word / 2,
            _ if kind.is_memory => random.u64(1..8),
            _ => random.u64(1..1500),
        };
        let most = if kind.is_memory { MAX_PAGES } else { MAX_ELEMENTS };
        let fits = |size: Option<u64>, most: u64| size.is_some_and(|size| size <= most);
        let right =
            fits(sizes[n].checked_add(delta), kind.largest().min(kind.maximum.unwrap_or(u64::MAX)))
                && fits(used(&sizes, kind.is_memory).checked_add(delta), most);
        let got = grow(&mut instance, n, delta).await;
        let expected = if right { sizes[n] as i64 } else { -1 };
        assert_eq!(
            got, expected,
            "seed {seed}, step {step}: {kind:?} of {} by {delta}\n{text}",
            sizes[n]
        );
        sizes[n] += if right { delta } else { 0 };
        assert_eq!(size(&mut instance, n).await, sizes[n], "seed {seed}, step {step}");
        assert_eq!(
            stats.snapshot().peak_memory,
            used(&sizes, true) * PAGE,
            "seed {seed}, step {step}"
        );
    }
}

#[test]
fn every_order_of_growths_stays_within_the_limits() {
    runtime().block_on(async {
        for seed in 0..60 {
            grow_at_random(seed).await;
        }
    });
}

/// The system has no addresses for what the limits would allow.
#[test]
fn a_growth_that_the_system_refuses_is_taken_back() {
    const LIMIT: usize = 1 << 48;
    let text = r#"(module (memory $a i64 1) (memory $b 1)
        (func (export "grow0") (param i64) (result i64) (memory.grow $a (local.get 0)))
        (func (export "grow1") (param i64) (result i64)
            (i64.extend_i32_s (memory.grow $b (i32.wrap_i64 (local.get 0))))))"#;
    let guest = Guest::builder(&wat(text)).max_memory(LIMIT).build().unwrap();
    let stats = guest.stats();
    runtime().block_on(async {
        let mut instance = guest.instantiate().await.unwrap();
        for n in 0..20 {
            assert_eq!(grow(&mut instance, 0, (LIMIT as u64 - 100 * PAGE) / PAGE).await, -1);
            assert_eq!(stats.snapshot().peak_memory, (2 + 2 * n) * PAGE);
            assert_eq!(grow(&mut instance, 0, 1).await, 1 + n as i64);
            assert_eq!(grow(&mut instance, 1, 1 << 17).await, -1);
            assert_eq!(grow(&mut instance, 1, 1).await, 1 + n as i64);
        }
    });
}

/// A pool's memory has an end that the guest does not know.
#[test]
fn a_growth_beyond_the_pool_is_taken_back() {
    let engine = Engine::builder().no_cache().pool(2).build().unwrap();
    let text = r#"(module (memory i64 1)
        (func (export "grow0") (param i64) (result i64) (memory.grow (local.get 0))))"#;
    let program = Program::new(&engine, &wat::parse_str(text).unwrap()).unwrap();
    let guest = Guest::builder(&program).max_memory(8 << 30).build().unwrap();
    let stats = guest.stats();
    runtime().block_on(async {
        let mut instance = guest.instantiate().await.unwrap();
        for n in 1..10 {
            assert_eq!(grow(&mut instance, 0, (7 << 30) / PAGE).await, -1);
            assert_eq!(stats.snapshot().peak_memory, n * PAGE);
            assert_eq!(grow(&mut instance, 0, 1).await, n as i64);
        }
    });
}

/// The parts of a component share one limit.
#[test]
fn components_grow_within_the_limits() {
    let module = |name: &str| {
        format!(
            r#"(core module ${name}
                (memory i64 1) (table $t i64 1 funcref)
                (func (export "run") (result i32) (local $n i32)
                    (loop $more
                        (drop (memory.grow (i64.const 1)))
                        (drop (table.grow $t (ref.null func) (i64.const 400)))
                        (drop (table.grow $t (ref.null func) (i64.const -1)))
                        (drop (memory.grow (i64.const -1)))
                        (local.set $n (i32.add (local.get $n) (i32.const 1)))
                        (br_if $more (i32.lt_u (local.get $n) (i32.const 100))))
                    ;; Fails if either has grown beyond its half and more.
                    (i32.or (i64.gt_u (memory.size) (i64.const 39)) (i64.gt_u (table.size $t) (i64.const 5000)))))"#
        )
    };
    let text = format!(
        r#"(component {} {}
            (core instance $a (instantiate $first)) (core instance $b (instantiate $second))
            (core module $both
                (import "a" "run" (func $a (result i32))) (import "b" "run" (func $b (result i32)))
                (func (export "run") (result i32) (i32.or (call $a) (call $b))))
            (core instance $main (instantiate $both (with "a" (instance $a)) (with "b" (instance $b))))
            (func $run (result (result)) (canon lift (core func $main "run")))
            (instance (export "wasi:cli/run@0.2.0") (export "run" (func $run))))"#,
        module("first"),
        module("second"),
    );
    let guest = Guest::builder(&wat(&text))
        .max_memory((MAX_PAGES * PAGE) as usize)
        .max_table_elements(MAX_ELEMENTS as usize)
        .build()
        .unwrap();
    let stats = guest.stats();
    assert_eq!(runtime().block_on(guest.run()).unwrap().code(), 0);
    assert_eq!(stats.snapshot().peak_memory, MAX_PAGES * PAGE);
}
