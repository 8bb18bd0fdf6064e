use accelbench_core::run::RunId;

use super::{Asked, Nonces, PreparedPrompt, PreparedPrompts, renew};

fn prompt(text: &str) -> PreparedPrompt {
    PreparedPrompt { text: text.to_owned(), asked: Asked { input_tokens: Some(5), output_tokens: 2 } }
}

#[test]
fn used_up_prompts_come_again_with_other_beginnings() {
    let nonces = Nonces::new(RunId::new(), 0);
    let prompts = (0..2).map(|request| prompt(&format!("{}text {request}", nonces.get(request)))).collect();
    let prompts = PreparedPrompts { prompts, nonces: Some(nonces) };
    let (first, again) = (prompts.get(1).into_owned(), prompts.get(3).into_owned());
    assert_eq!(again.text.len(), first.text.len());
    assert!(first.text.ends_with(" text 1") && again.text.ends_with(" text 1"));
    assert_ne!(first.text[..8], again.text[..8]);
}

#[test]
fn prompts_of_a_dataset_come_again_as_they_are() {
    let prompts = PreparedPrompts { prompts: vec![prompt("a question of some length")], nonces: None };
    assert_eq!(prompts.get(0), prompts.get(7));
}

#[test]
fn a_prompt_shorter_than_its_nonce_stays_what_it_is() {
    assert_eq!(renew(&prompt("123"), "45678901 "), prompt("123"));
    assert_eq!(renew(&prompt("12345678 ä"), "45678901 "), prompt("45678901 ä"));
}
