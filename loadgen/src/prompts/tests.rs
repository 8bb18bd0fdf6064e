use accelbench_core::dataset::Content;
use accelbench_core::run::RunId;

use super::{Asked, Nonces, PreparedPrompt, PreparedPrompts, ToldApart};

fn prompt(text: &str) -> PreparedPrompt {
    PreparedPrompt {
        content: Content::Text(text.to_owned()),
        asked: Asked { input_tokens: Some(5), output_tokens: 2, known_tokens: 0 },
        is_turn: false,
    }
}

fn text(prompt: &PreparedPrompt) -> String {
    prompt.content.to_text().into_owned()
}

#[test]
fn used_up_prompts_come_again_with_other_beginnings() {
    let nonces = Nonces::new(RunId::new(), 0);
    for shared in ["", "What all share. "] {
        let prompts =
            (0..2).map(|request| prompt(&format!("{shared}{}text {request}", nonces.get(request)))).collect();
        let told_apart = Some(ToldApart { nonces, shared_bytes: shared.len() });
        let prompts = PreparedPrompts { prompts, told_apart, moments_s: None };
        let (first, again) = (text(&prompts.get(1)), text(&prompts.get(3)));
        assert_eq!(again.len(), first.len());
        assert!(again.starts_with(shared) && again.ends_with(" text 1"), "{again}");
        assert_ne!(first, again);
    }
}

#[test]
fn prompts_of_a_dataset_come_again_as_they_are() {
    let prompts = PreparedPrompts {
        prompts: vec![prompt("a question of some length")],
        told_apart: None,
        moments_s: None,
    };
    assert_eq!(prompts.get(0), prompts.get(7));
}

#[test]
fn a_prompt_shorter_than_its_nonce_stays_what_it_is() {
    let told_apart = ToldApart { nonces: Nonces::new(RunId::new(), 0), shared_bytes: 0 };
    assert_eq!(told_apart.renew(&prompt("123"), 7), prompt("123"));
    let renewed = text(&told_apart.renew(&prompt("12345678 \u{e4}"), 7));
    assert!(renewed.ends_with(" \u{e4}") && !renewed.starts_with("12345678"), "{renewed}");
}
