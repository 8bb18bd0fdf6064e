//! The family of a model, in the words of the catalog's seed, which follow names rather than architectures: a distilled
//! DeepSeek is a DeepSeek, whatever it was distilled into.

use accelbench_core::model::ModelId;

/// What names hold, and the family; the first that is found counts, so that longer ones come first.
const NAMES: [(&str, &str); 49] = [
    ("deepseek", "deepseek"),
    ("codellama", "codellama"),
    ("tinyllama", "tinyllama"),
    ("nvidia-nemotron", "nemotron"),
    ("nemotron-super", "nemotron"),
    ("nemotron-ultra", "nemotron"),
    ("llama-4", "llama-4"),
    ("llama-3.3", "llama-3.3"),
    ("llama-3_3", "llama-3.3"),
    ("llama-3.2", "llama-3.2"),
    ("llama-3.1", "llama-3.1"),
    ("llama-3", "llama-3"),
    ("llama-2", "llama-2"),
    ("nemotron", "nemotron"),
    ("minitron", "nemotron"),
    ("qwen3.6", "qwen3.6"),
    ("qwen3.5", "qwen3.5"),
    ("qwen3", "qwen3"),
    ("qwen2.5", "qwen2.5"),
    ("qwen2", "qwen2.5"),
    ("qwq", "qwq"),
    ("gemma-4", "gemma-4"),
    ("gemma-3", "gemma-3"),
    ("gemma-2-", "gemma-2"),
    ("gemma-2b", "gemma"),
    ("gemma-7b", "gemma"),
    ("gpt-oss", "gpt-oss"),
    ("mixtral", "mixtral"),
    ("ministral", "mistral"),
    ("mistral", "mistral"),
    ("kimi", "kimi"),
    ("glm-", "glm"),
    ("minimax", "minimax"),
    ("mimo", "mimo"),
    ("phi-4", "phi-4"),
    ("phi-3", "phi-3"),
    ("falcon", "falcon"),
    ("olmo", "olmo"),
    ("smollm", "smollm"),
    ("step-3", "step"),
    ("granite", "granite"),
    ("starcoder", "starcoder"),
    ("stablelm", "stablelm"),
    ("command-", "command"),
    ("c4ai-command", "command"),
    ("mpt-", "mpt"),
    ("gpt-j", "gptj"),
    ("exaone", "exaone"),
    ("yi-", "yi"),
];

/// The family; a model of an unknown name is of its architecture's kind.
pub(super) fn of(model: &ModelId, model_type: &str) -> Option<String> {
    let name = model.as_str().rsplit('/').next().unwrap_or_default().to_lowercase();
    let named = NAMES.iter().find(|(part, _)| name.contains(part)).map(|&(_, family)| family.to_owned());
    let kind = model_type.trim_end_matches("_text").replace('_', "-");
    named.or_else(|| (!kind.is_empty()).then_some(kind))
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn names_are_understood_as_in_the_seed() {
        let seed = include_str!("../../../store/seed/models.csv");
        let wrong: Vec<String> = seed
            .lines()
            .skip(1)
            .filter_map(|line| {
                let (model, family) = line.split_once(',')?;
                let family = family.split(',').next().filter(|family| !family.is_empty())?;
                let read = of(&model.parse().unwrap(), "")?;
                (read != family).then(|| format!("{model}: {read}, seed {family}"))
            })
            .collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn a_model_of_an_unknown_name_is_of_its_kind() {
        assert_eq!(of(&"me/my-model".parse().unwrap(), "gemma3_text").as_deref(), Some("gemma3"));
        assert_eq!(of(&"me/my-model".parse().unwrap(), ""), None);
    }
}
