//! Random numbers for choosing when to strike: small, seeded, repeatable.

use std::time::{SystemTime, UNIX_EPOCH};

/// A xorshift generator.
#[derive(Debug, Clone)]
pub struct Random {
    state: u64,
}

impl Random {
    /// The generator of a seed.
    pub fn new(seed: u64) -> Self {
        // Zero is the one state that xorshift never leaves.
        Self { state: seed ^ 0x9e37_79b9_7f4a_7c15 | 1 }
    }

    /// A seed from `TESTSUITE_SEED`, or else from the clock; printed, so that a failed run can be repeated.
    pub fn from_environment(what: &str) -> Self {
        let clock = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |age| age.as_nanos() as u64);
        let seed =
            std::env::var("TESTSUITE_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or_else(clock);
        println!("{what}: TESTSUITE_SEED={seed}");
        Self::new(seed)
    }

    /// A number below `bound`; zero when the bound is zero.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state.checked_rem(bound).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn a_seed_repeats_and_bounds_hold() {
        let (mut a, mut b) = (Random::new(7), Random::new(7));
        for bound in 0..200 {
            let number = a.below(bound);
            assert_eq!(number, b.below(bound));
            assert!(number < bound.max(1));
        }
    }
}
