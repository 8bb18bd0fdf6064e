//! Conversations of several turns: each question follows on all that was said before. A user of a closed loop holds one
//! after the other.

use std::borrow::Cow;

use accelbench_core::dataset::{Content, Message};

use crate::prompts::PreparedPrompt;
use crate::sample::Sample;

/// What a user has said and heard so far.
#[derive(Debug)]
pub(crate) struct Conversation {
    turns: u32,
    max_context_tokens: u32,
    /// Turns that were taken.
    taken: u32,
    history: Option<Content>,
    history_tokens: u32,
}

impl Conversation {
    /// A conversation of so many turns, each time; it ends earlier when it would outgrow the model's context.
    pub(crate) fn new(turns: u32, max_context_tokens: Option<u32>) -> Self {
        let max_context_tokens = max_context_tokens.unwrap_or(u32::MAX);
        Self { turns, max_context_tokens, taken: 0, history: None, history_tokens: 0 }
    }

    /// The next question, behind all that was said.
    pub(crate) fn ask<'a>(&mut self, question: Cow<'a, PreparedPrompt>) -> Cow<'a, PreparedPrompt> {
        if self.turns <= 1 {
            return question;
        }
        let asked = question.asked;
        // Of a question of unknown length nothing but its answer is counted.
        let more = asked.input_tokens.unwrap_or(0).saturating_add(asked.output_tokens);
        if self.taken >= self.turns || self.history_tokens.saturating_add(more) > self.max_context_tokens {
            *self = Self::new(self.turns, Some(self.max_context_tokens));
        }
        let mut turn = question.into_owned();
        turn.is_turn = true;
        if let Some(history) = self.history.take() {
            turn.content = joined(history, turn.content);
            // The engine counts what was said before with its own templates: the whole length is not known here.
            turn.asked.input_tokens = None;
            turn.asked.known_tokens = self.history_tokens;
        }
        Cow::Owned(turn)
    }

    /// Takes the answer to the question that was asked last. A failed one ends the conversation.
    pub(crate) fn hear(&mut self, question: Cow<'_, PreparedPrompt>, sample: &mut Sample) {
        if self.turns <= 1 {
            return;
        }
        let heard = sample.outcome.as_mut().ok().and_then(|answer| {
            let tokens = answer.input_tokens.saturating_add(answer.output_tokens);
            Some((answer.text.take()?, tokens))
        });
        let Some((text, tokens)) = heard else {
            *self = Self::new(self.turns, Some(self.max_context_tokens));
            return;
        };
        self.taken += 1;
        self.history_tokens = u32::try_from(tokens).unwrap_or(u32::MAX);
        self.history = Some(match question.into_owned().content {
            Content::Text(said) => Content::Text(said + &text),
            Content::Messages(mut messages) => {
                messages.push(Message { role: "assistant".to_owned(), content: text });
                Content::Messages(messages)
            }
        });
    }
}

fn joined(history: Content, question: Content) -> Content {
    match (history, question) {
        (Content::Messages(mut messages), Content::Messages(more)) => {
            // The instructions stand at the beginning already.
            messages.extend(more.into_iter().filter(|message| message.role != "system"));
            Content::Messages(messages)
        }
        (history, question) => Content::Text(format!("{}\n\n{}", history.to_text(), question.to_text())),
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::time::Duration;

    use accelbench_core::dataset::{Content, Message};
    use accelbench_core::load::ErrorClass;

    use super::Conversation;
    use crate::prompts::PreparedPrompt;
    use crate::sample::{Answer, Asked, Failure, Sample};

    const ASKED: Asked = Asked { input_tokens: Some(10), output_tokens: 5, known_tokens: 0 };

    fn question(text: &str) -> Cow<'static, PreparedPrompt> {
        Cow::Owned(PreparedPrompt { content: Content::Text(text.to_owned()), asked: ASKED, is_turn: false })
    }

    fn answer(text: &str, input_tokens: u64) -> Sample {
        let answer = Answer {
            ended_at: Duration::ZERO,
            arrivals: Vec::new(),
            exact: true,
            input_tokens,
            output_tokens: 5,
            asked: ASKED,
            text: Some(text.to_owned()),
        };
        Sample { sent_at: Duration::ZERO, outcome: Ok(answer) }
    }

    /// Asks and hears; gives what was sent and how much of it is known.
    fn turn(conversation: &mut Conversation, text: &str, input_tokens: u64) -> (String, u32) {
        let asked = conversation.ask(question(text));
        let sent = (asked.content.to_text().into_owned(), asked.asked.known_tokens);
        conversation.hear(asked, &mut answer(&format!("[{text}]"), input_tokens));
        sent
    }

    #[test]
    fn each_turn_follows_on_all_that_was_said() {
        let mut conversation = Conversation::new(3, None);
        assert_eq!(turn(&mut conversation, "a", 10), ("a".to_owned(), 0));
        assert_eq!(turn(&mut conversation, "b", 26), ("a[a]\n\nb".to_owned(), 15));
        assert_eq!(turn(&mut conversation, "c", 42), ("a[a]\n\nb[b]\n\nc".to_owned(), 31));
        assert_eq!(
            turn(&mut conversation, "d", 10),
            ("d".to_owned(), 0),
            "a new one begins after three turns"
        );
    }

    #[test]
    fn a_conversation_ends_before_it_outgrows_the_context() {
        let mut conversation = Conversation::new(9, Some(40));
        turn(&mut conversation, "a", 10);
        assert_eq!(turn(&mut conversation, "b", 26).1, 15);
        assert_eq!(turn(&mut conversation, "c", 10).0, "c", "31 and 15 tokens are more than 40");
    }

    #[test]
    fn a_failed_turn_ends_the_conversation() {
        let mut conversation = Conversation::new(9, None);
        turn(&mut conversation, "a", 10);
        let asked = conversation.ask(question("b"));
        let failure = Failure::new(ErrorClass::Timeout, "slow");
        conversation.hear(asked, &mut Sample { sent_at: Duration::ZERO, outcome: Err(failure) });
        assert_eq!(turn(&mut conversation, "c", 10).0, "c");
    }

    #[test]
    fn a_chat_keeps_its_instructions_once() {
        let message =
            |role: &str, content: &str| Message { role: role.to_owned(), content: content.to_owned() };
        let ask = || {
            let content = Content::Messages(vec![message("system", "s"), message("user", "u")]);
            Cow::Owned(PreparedPrompt { content, asked: ASKED, is_turn: false })
        };
        let mut conversation = Conversation::new(2, None);
        let first = conversation.ask(ask());
        conversation.hear(first, &mut answer("yes", 10));
        let Content::Messages(messages) = &conversation.ask(ask()).content else {
            panic!("a chat stays a chat")
        };
        let roles: Vec<&str> = messages.iter().map(|message| message.role.as_str()).collect();
        assert_eq!(roles, ["system", "user", "assistant", "user"]);
    }

    #[test]
    fn single_questions_are_left_as_they_are() {
        let mut conversation = Conversation::new(1, None);
        turn(&mut conversation, "a", 10);
        assert_eq!(turn(&mut conversation, "b", 10), ("b".to_owned(), 0));
        assert!(!conversation.ask(question("c")).is_turn);
    }
}
