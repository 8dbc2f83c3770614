//! Recorded traffic of identity providers must be answered as they expect, by the component, by the component served over
//! HTTP, by the component for `wasi:http` in a plain wasmtime, and by the engine that is compiled into this program. One
//! test for each file in `idp-traffic/scenarios` and each of the four.

use libtest_mimic::{Arguments, Failed, Trial};
use usher_tests::plain;
use usher_tests::scenario::Scenario;
use usher_tests::server::{self, Directory};

/// The ways to reach an Usher of one's own.
const WAYS: [(&str, Connect); 4] = [
    ("component", server::component),
    ("native", server::native),
    ("served", server::served),
    ("wasi_http", plain::served),
];

type Connect = fn() -> Directory;

fn main() {
    let trials = Scenario::all().into_iter().flat_map(|scenario| {
        WAYS.map(|(way, connect)| {
            let scenario = scenario.clone();
            let name = format!("{way}::{}", scenario.name.replace('-', "_"));
            Trial::test(name, move || scenario.replay(&connect()).map_err(Failed::from))
        })
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit();
}
