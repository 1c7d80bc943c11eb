//! Points in time and lengths of time, as records and people write them.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Microseconds since the Unix epoch.
///
/// Printed as RFC 3339 in UTC with six decimals, so that the order of the
/// texts is the order of the times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// Years 0 to 9999, the end as jiff has it: outside of it the text would not sort.
const MIN_MICROS: i64 = -62_167_219_200_000_000;
const MAX_MICROS: i64 = 253_402_207_199_999_999;

impl Timestamp {
    /// The time `micros` microseconds after the epoch, kept within the years
    /// 0 to 9999.
    pub fn from_micros(micros: i64) -> Self {
        Self(micros.clamp(MIN_MICROS, MAX_MICROS))
    }

    /// Microseconds since the epoch.
    pub fn micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// The time `length` later, kept within the year 9999.
    pub fn plus(self, length: Duration) -> Self {
        Self::from_micros(self.0.saturating_add(i64::try_from(length.as_micros()).unwrap_or(i64::MAX)))
    }

    /// The time `length` earlier.
    pub fn minus(self, length: Duration) -> Self {
        Self::from_micros(self.0.saturating_sub(i64::try_from(length.as_micros()).unwrap_or(i64::MAX)))
    }

    /// The next distinguishable time.
    pub fn tick(self) -> Self {
        Self::from_micros(self.0 + 1)
    }

    /// How long after `earlier` this is; zero if it is not.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// `12:40Z` on the day of `now`, `2026-01-02 12:40Z` on another.
    pub fn short(self, now: Self) -> String {
        let text = self.to_string();
        let (day, time) = (&text[..10], &text[11..16]);
        if now.to_string()[..10] == *day { format!("{time}Z") } else { format!("{day} {time}Z") }
    }

    /// To the second, as `2026-01-02T12:40:07Z`.
    pub fn to_second(self) -> String {
        let text = self.to_string();
        format!("{}Z", &text[..19])
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Within the clamped range jiff always has an answer.
        let time = jiff::Timestamp::from_microsecond(self.0).unwrap_or_default();
        write!(f, "{time:.6}")
    }
}

/// A text is no time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a time such as 2026-01-02T12:40:00Z")]
pub struct InvalidTimestamp(String);

impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    fn from_str(text: &str) -> Result<Self, InvalidTimestamp> {
        text.parse::<jiff::Timestamp>()
            .map(|t| Self::from_micros(t.as_microsecond()))
            .map_err(|_| InvalidTimestamp(super::escape::clipped(text, 40)))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl serde::de::Visitor<'_> for Text {
            type Value = Timestamp;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time such as 2026-01-02T12:40:00Z")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Timestamp, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// A length of time as `90s`, `30m`, `2h`, `1h30m` or `7d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

/// A text is no length of time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a length of time such as 90s, 30m or 2h")]
pub struct InvalidSpan(String);

impl FromStr for Span {
    type Err = InvalidSpan;

    fn from_str(text: &str) -> Result<Self, InvalidSpan> {
        let invalid = || InvalidSpan(super::escape::clipped(text, 40));
        let mut total = 0u64;
        let mut rest = text;
        while !rest.is_empty() {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let count: u64 = rest[..digits].parse().map_err(|_| invalid())?;
            let unit = match rest.as_bytes().get(digits) {
                Some(b's') => 1,
                Some(b'm') => 60,
                Some(b'h') => 3_600,
                Some(b'd') => 86_400,
                Some(b'w') => 604_800,
                _ => return Err(invalid()),
            };
            total = count.checked_mul(unit).and_then(|n| total.checked_add(n)).ok_or_else(invalid)?;
            rest = &rest[digits + 1..];
        }
        if text.is_empty() {
            return Err(invalid());
        }
        Ok(Self(Duration::from_secs(total)))
    }
}

impl fmt::Display for Span {
    /// The two largest units, rounded down: `2h5m`, `40s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        match seconds {
            0..60 => write!(f, "{seconds}s"),
            60..3_600 => pair(f, seconds, (60, 'm'), (1, 's')),
            3_600..86_400 => pair(f, seconds, (3_600, 'h'), (60, 'm')),
            _ => pair(f, seconds, (86_400, 'd'), (3_600, 'h')),
        }
    }
}

fn pair(f: &mut fmt::Formatter<'_>, seconds: u64, large: (u64, char), small: (u64, char)) -> fmt::Result {
    write!(f, "{}{}", seconds / large.0, large.1)?;
    match seconds % large.0 / small.0 {
        0 => Ok(()),
        rest => write!(f, "{rest}{}", small.1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_sort_as_times_do() {
        let times: Vec<Timestamp> =
            [-1, 0, 1, 999_999, 1_000_000, 1_700_000_000_123_456].map(Timestamp::from_micros).to_vec();
        let texts: Vec<String> = times.iter().map(ToString::to_string).collect();
        assert!(texts.is_sorted(), "{texts:?}");
        assert_eq!(texts[1], "1970-01-01T00:00:00.000000Z");
        for (time, text) in times.iter().zip(&texts) {
            assert_eq!(text.parse::<Timestamp>().as_ref(), Ok(time));
        }
        assert_eq!(Timestamp::from_micros(i64::MAX).to_string(), "9999-12-30T21:59:59.999999Z");
        assert_eq!(Timestamp::from_micros(i64::MIN).to_string(), "0000-01-01T00:00:00.000000Z");
    }

    #[test]
    fn spans_read_what_they_print() {
        for text in ["40s", "30m", "1h30m", "2h", "7d", "1d2h"] {
            assert_eq!(text.parse::<Span>().map(|s| s.to_string()).as_deref(), Ok(text));
        }
        for bad in ["", "5", "m", "1x", "-1s", "99999999999999999999s", "1h 2m"] {
            assert!(bad.parse::<Span>().is_err(), "{bad}");
        }
    }
}
