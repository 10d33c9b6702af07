//! A fuzz target: `cargo test` runs it briefly on random bytes, `cargo bolero test -p meshcore fuzz::…` for as long as
//! one likes, guided by coverage.

use crate::packets::violated;
use crate::vectors::keys;

#[test]
fn nothing_breaks_for_whatever_a_fuzzer_finds() {
    let keys = keys();
    bolero::check!().with_iterations(20_000).for_each(|bytes| violated(bytes, &keys).unwrap());
}
