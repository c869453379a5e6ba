//! Questions as the routes ask them: in the open, for a person who waits.

use std::time::Duration;

use serde::de::DeserializeOwned;
use shared::{
    ai::{self, About, Ask, Given, Purpose, Refused, Settings, Speaker},
    prelude::*,
};

use crate::prompts::Prompt;

/// What somebody waits for at most: the function has 15 seconds, of which some are its own.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Until it is looked again whether somebody else who asks the same has the answer.
pub const PAUSE: Duration = Duration::from_millis(250);

/// Tokens of an answer; models that think first need most of them for that.
const MOST_TOKENS: u32 = 1_500;

/// Asks with a prompt's words and the data beside it.
///
/// # Errors
/// As the database fails.
pub async fn ask_about<T: DeserializeOwned + Send>(
    context: &Context,
    settings: &Settings,
    about: About,
    (purpose, prompt): (Purpose, &Prompt),
    (words, data): (String, &Value),
) -> Result<Result<Given<T>, Refused>, Error> {
    let schema = prompt.schema();
    let ask = Ask {
        messages: vec![(Speaker::System, words), (Speaker::User, data.to_string())],
        schema: Some((prompt.schema_name(), &schema)),
        most_tokens: MOST_TOKENS,
    };
    ai::ask_for(context, settings, about, (purpose, prompt.name), ask).await
}
