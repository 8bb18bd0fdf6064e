//! What is compared, as it stands in the address: one `r` for each load point.

use url::form_urlencoded;

use super::MOST;
use crate::error::ApiError;
use crate::pricing::PriceParts;

/// The load points, and at what rate and prices their costs are shown.
#[derive(Debug, Clone, Default)]
pub(crate) struct Compared {
    pub(crate) ids: Vec<String>,
    pub(crate) rate: String,
    pub(crate) pricing: PriceParts,
}

impl Compared {
    /// Reads an address.
    pub(super) fn of(query: &str) -> Result<Self, ApiError> {
        let mut compared = Self { rate: "10".to_owned(), ..Self::default() };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let value = value.into_owned();
            match name.as_ref() {
                _ if value.is_empty() => {}
                "r" if !compared.ids.contains(&value) => compared.ids.push(value),
                "requests_per_s" => compared.rate = value,
                "region" => compared.pricing.region = Some(value),
                "tier" => compared.pricing.tier = Some(value),
                _ => {}
            }
        }
        if compared.ids.len() > MOST {
            let detail = format!("{} load points were given; compare at most {MOST}", compared.ids.len());
            return Err(ApiError::unprocessable(detail).with_hint("go back and tick fewer"));
        }
        Ok(compared)
    }

    /// The rate at which costs are shown.
    pub(super) fn requests_per_s(&self) -> Result<f64, ApiError> {
        let rate: Option<f64> = self.rate.trim().parse().ok();
        rate.filter(|rate| *rate > 0.0 && *rate <= 1e6).ok_or_else(|| {
            ApiError::unprocessable(format!("`{}` is no rate; give requests per second above 0", self.rate))
        })
    }

    /// The address of the same comparison under `path`, without the load point `left_out`.
    pub(crate) fn address(&self, path: &str, left_out: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for id in self.ids.iter().filter(|id| *id != left_out) {
            query.append_pair("r", id);
        }
        query.append_pair("requests_per_s", &self.rate);
        let pricing = [("region", &self.pricing.region), ("tier", &self.pricing.tier)];
        for (name, value) in pricing.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?))) {
            query.append_pair(name, value);
        }
        format!("{path}?{}", query.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::Compared;

    #[test]
    fn an_address_comes_back_and_names_each_once() {
        let compared = Compared::of("r=a&r=b&r=a&tier=spot&requests_per_s=2.5&model=x").unwrap();
        assert_eq!(compared.ids, ["a", "b"]);
        assert_eq!(compared.address("/compare", "a"), "/compare?r=b&requests_per_s=2.5&tier=spot");
        assert!((compared.requests_per_s().unwrap() - 2.5).abs() < 1e-12);
    }

    #[test]
    fn more_than_can_be_read_is_refused() {
        let many = "r=0&r=1&r=2&r=3&r=4&r=5&r=6&r=7&r=8";
        assert!(Compared::of(many).unwrap_err().detail.contains("at most 8"));
        assert!(Compared::of("requests_per_s=0").unwrap().requests_per_s().is_err());
    }
}
