//! The time of a request, taken apart. The engine reads no clock: the time is given to it.

/// A moment on the calendar of one UTC offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Clock {
    pub(crate) year: i64,
    /// 1 to 12.
    pub(crate) month: u8,
    /// 1 to 31.
    pub(crate) day: u8,
    pub(crate) hour: u8,
    pub(crate) minute: u8,
    pub(crate) second: u8,
    /// 0 is Sunday.
    pub(crate) weekday: u8,
    pub(crate) micros: u32,
}

impl Clock {
    /// The moment `unix_micros` after 1970, as a clock east of Greenwich by `utc_offset_seconds` shows it.
    pub(crate) fn at(unix_micros: u64, utc_offset_seconds: i32) -> Self {
        let seconds =
            i64::try_from(unix_micros / 1_000_000).unwrap_or(i64::MAX / 2) + i64::from(utc_offset_seconds);
        let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let (year, month, day) = civil(days);
        Self {
            year,
            month,
            day,
            hour: small(rest / 3600),
            minute: small(rest / 60 % 60),
            second: small(rest % 60),
            weekday: small((days + 4).rem_euclid(7)),
            micros: u32::try_from(unix_micros % 1_000_000).unwrap_or(0),
        }
    }

    /// RFC 3339 for a clock at offset 0.
    pub(crate) fn rfc3339(&self) -> String {
        let Self {
            year,
            month,
            day,
            hour,
            minute,
            second,
            micros,
            ..
        } = self;
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
    }
}

/// Days since 1970-01-01 to year, month, day (Howard Hinnant's `civil_from_days`).
fn civil(days: i64) -> (i64, u8, u8) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, small(month), small(day))
}

fn small(number: i64) -> u8 {
    u8::try_from(number).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leap_days_and_offsets_fall_on_the_right_day() {
        let leap = Clock::at(1_709_208_000_250_000, 0);
        assert_eq!(leap.rfc3339(), "2024-02-29T12:00:00.250000Z");
        assert_eq!(leap.weekday, 4);
        let tokyo = Clock::at(1_709_208_000_000_000, 14 * 3600);
        assert_eq!((tokyo.month, tokyo.day, tokyo.hour), (3, 1, 2));
        assert_eq!(Clock::at(0, 0).rfc3339(), "1970-01-01T00:00:00.000000Z");
    }

    #[test]
    fn the_end_of_time_is_no_panic() {
        Clock::at(u64::MAX, i32::MAX);
        Clock::at(0, i32::MIN);
    }
}
