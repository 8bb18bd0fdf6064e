//! A model's `config.json` as a set of named numbers. It is a stranger's file: every value may be missing or of another
//! type, and reading it never fails.

use serde_json::{Map, Value};

/// Under which names a multimodal wrapper keeps the configuration of its language model.
const LANGUAGE_PARTS: [&str; 4] = ["text_config", "llm_config", "language_config", "thinker_config"];

/// Wrappers may be nested, as Qwen's thinker is.
const DEEPEST_WRAPPER: usize = 3;

/// A view of a configuration and of the part of it that is the language model.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Config<'a> {
    whole: &'a Map<String, Value>,
    language: &'a Map<String, Value>,
}

impl<'a> Config<'a> {
    /// A view of `json`, if that is an object.
    pub(crate) fn of(json: &'a Value) -> Option<Self> {
        let whole = json.as_object()?;
        let mut language = whole;
        for _ in 0..DEEPEST_WRAPPER {
            match LANGUAGE_PARTS.iter().find_map(|part| language.get(*part)?.as_object()) {
                Some(part) => language = part,
                None => break,
            }
        }
        Some(Self { whole, language })
    }

    /// Whether the language model is a part of something larger.
    pub(crate) fn is_wrapper(self) -> bool {
        !std::ptr::eq(self.whole, self.language)
    }

    /// The name of the class that loads the whole, in transformers' spelling.
    pub(crate) fn architecture(self) -> Option<&'a str> {
        let named = |part: &'a Map<String, Value>| part.get("architectures")?.get(0)?.as_str();
        named(self.whole).or_else(|| named(self.language))
    }

    /// The kind of the whole.
    pub(crate) fn whole_model_type(self) -> &'a str {
        self.whole.get("model_type").and_then(Value::as_str).unwrap_or_default()
    }

    /// The kind of the language model.
    pub(crate) fn model_type(self) -> &'a str {
        let own = self.language.get("model_type").and_then(Value::as_str);
        own.unwrap_or_else(|| self.whole_model_type())
    }

    /// The language model's first value of these names that is a whole number from 1 on.
    pub(crate) fn count(self, names: &[&str]) -> Option<u32> {
        names.iter().find_map(|name| whole_number(self.value(name)?).filter(|number| *number > 0))
    }

    /// The same, where 0 is a number too.
    pub(crate) fn count_or_zero(self, names: &[&str]) -> Option<u32> {
        names.iter().find_map(|name| whole_number(self.value(name)?))
    }

    /// The language model's value of this name that is a number.
    pub(crate) fn number(self, name: &str) -> Option<f64> {
        self.value(name)?.as_f64()
    }

    /// A yes or no of the language model, or else of the whole.
    pub(crate) fn flag(self, name: &str) -> Option<bool> {
        self.value_or_whole(name)?.as_bool()
    }

    /// A text of the language model, or else of the whole.
    pub(crate) fn text(self, names: &[&str]) -> Option<&'a str> {
        names.iter().find_map(|name| self.value_or_whole(name)?.as_str())
    }

    /// The value that the language model has under this name; `a.b` is the value `b` of the object `a`.
    pub(crate) fn value(self, name: &str) -> Option<&'a Value> {
        let mut parts = name.split('.');
        let first = self.language.get(parts.next()?)?;
        parts.try_fold(first, |value, part| value.get(part)).filter(|value| !value.is_null())
    }

    /// The value that the language model, or else the whole, has under this name.
    pub(crate) fn value_or_whole(self, name: &str) -> Option<&'a Value> {
        self.value(name).or_else(|| self.whole.get(name)).filter(|value| !value.is_null())
    }
}

/// Some files write 4096.0.
fn whole_number(value: &Value) -> Option<u32> {
    let number = value.as_f64()?;
    (number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number)).then_some(number as u32)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Config;

    #[test]
    fn a_wrapper_is_read_down_to_its_language_model() {
        let json = json!({
            "architectures": ["Outer"], "model_type": "outer", "tie_word_embeddings": true,
            "thinker_config": {"text_config": {"model_type": "inner", "hidden_size": 64}},
        });
        let config = Config::of(&json).unwrap();
        assert!(config.is_wrapper());
        assert_eq!((config.model_type(), config.architecture()), ("inner", Some("Outer")));
        assert_eq!(config.count(&["hidden_size"]), Some(64));
        assert_eq!(config.flag("tie_word_embeddings"), Some(true));
    }

    #[test]
    fn only_whole_numbers_count() {
        let json =
            json!({"a": 0, "b": -1, "c": 1.5, "d": "7", "e": 8.0, "f": null, "g": 1e300, "h": {"i": 3}});
        let config = Config::of(&json).unwrap();
        assert_eq!(config.count(&["a", "b", "c", "d", "f", "g", "z"]), None);
        assert_eq!(config.count(&["a", "e"]), Some(8));
        assert_eq!(config.count(&["h.i"]), Some(3));
        assert_eq!(config.count_or_zero(&["a"]), Some(0));
        assert!(Config::of(&json!([1])).is_none());
    }
}
