//! Times as they are given on the command line.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A number of seconds, more than none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seconds(Duration);

impl Seconds {
    pub(crate) fn duration(self) -> Duration {
        self.0
    }
}

impl FromStr for Seconds {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f32(seconds).ok());
        match seconds {
            // Timers take no more than that.
            Some(seconds) if !seconds.is_zero() => Ok(Self(seconds.min(LONGEST))),
            _ => Err("write a number of seconds above 0, such as 2.5"),
        }
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.as_secs_f32())
    }
}

/// A year: nobody waits longer.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_times_above_none_are_taken() {
        assert_eq!("2.5".parse::<Seconds>().unwrap().to_string(), "2.5");
        assert_eq!("1e30".parse::<Seconds>().err(), "x".parse::<Seconds>().err());
        assert_eq!("1e9".parse::<Seconds>().unwrap().duration(), LONGEST);
        for text in ["0", "-1", "nan", "inf", "", "ten"] {
            assert!(text.parse::<Seconds>().is_err(), "{text}");
        }
    }
}
