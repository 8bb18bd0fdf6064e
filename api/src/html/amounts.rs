//! Money and age as a person reads them.

use accelbench_core::observed::Observed;
use askama::{Result, Values};
use chrono::{DateTime, Utc};

use super::grouped;

/// An amount: `$1.14`, `$0.0031`, `$81,900`; a dash where there is none.
#[askama::filter_fn]
pub(crate) fn money(amount: &Observed<f64>, _: &dyn Values, currency: &str) -> Result<String> {
    Ok(amount.value().map_or_else(|| "–".to_owned(), |amount| sum(*amount, currency)))
}

/// An amount that is known.
#[askama::filter_fn]
pub(crate) fn paid(amount: &f64, _: &dyn Values, currency: &str) -> Result<String> {
    Ok(sum(*amount, currency))
}

/// A day, in UTC.
#[askama::filter_fn]
pub(crate) fn day(moment: &DateTime<Utc>, _: &dyn Values) -> Result<String> {
    Ok(moment.format("%Y-%m-%d").to_string())
}

/// How long ago it was: `today`, `6 days ago`, `5 months ago`.
#[askama::filter_fn]
pub(crate) fn age(moment: &DateTime<Utc>, _: &dyn Values) -> Result<String> {
    Ok(ago((Utc::now() - moment).num_days()))
}

/// Seconds as a person plans with them: 12 min, 1.5 h.
#[askama::filter_fn]
pub(crate) fn minutes(seconds: &f64, _: &dyn Values) -> Result<String> {
    let minutes = (seconds / 60.0).ceil().max(1.0);
    Ok(if minutes < 90.0 { format!("{minutes:.0} min") } else { format!("{:.1} h", seconds / 3600.0) })
}

/// What stands behind the last `/` of an address.
#[askama::filter_fn]
pub(crate) fn last_part(address: &str, _: &dyn Values) -> Result<String> {
    Ok(address.rsplit('/').next().unwrap_or_default().to_owned())
}

/// An amount in the currency of its region.
pub(crate) fn sum(amount: f64, currency: &str) -> String {
    let number = match amount.abs() {
        size if size > 0.0 && size < 0.01 => {
            // Two digits that say something.
            let digits = (1.0 - size.log10().floor()).clamp(2.0, 12.0) as usize;
            format!("{amount:.digits$}")
        }
        size if size < 999.995 => format!("{amount:.2}"),
        _ => grouped(amount),
    };
    if currency == "USD" { format!("${number}") } else { format!("{currency} {number}") }
}

fn ago(days: i64) -> String {
    match days {
        ..=0 => "today".to_owned(),
        1 => "yesterday".to_owned(),
        2..=60 => format!("{days} days ago"),
        61..=729 => format!("{} months ago", days / 30),
        _ => format!("{} years ago", days / 365),
    }
}

#[cfg(test)]
mod tests {
    use super::{ago, sum};

    #[test]
    fn amounts_have_the_digits_that_tell_them_apart() {
        for (amount, text) in [
            (1.139, "$1.14"),
            (0.0, "$0.00"),
            (0.003_12, "$0.0031"),
            (0.000_002_17, "$0.0000022"),
            (999.99, "$999.99"),
            (81_900.4, "$81,900"),
        ] {
            assert_eq!(sum(amount, "USD"), text);
        }
        assert_eq!(sum(7.5, "CNY"), "CNY 7.50");
    }

    #[test]
    fn ages_are_words() {
        let said: Vec<String> = [0, 1, 6, 61, 800].into_iter().map(ago).collect();
        assert_eq!(said, ["today", "yesterday", "6 days ago", "2 months ago", "2 years ago"]);
    }
}
