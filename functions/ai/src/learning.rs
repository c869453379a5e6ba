//! What a conversation teaches: drafts for the knowledge base, which people approve.

use futures_util::future::BoxFuture;
use knowledge::proposals::{Learned, propose};
use shared::{
    ai::{About, Given, Mask, Purpose, Refused, Settings, has_masked, personal},
    prelude::*,
};

use crate::{
    asking::{PATIENCE, ask_about},
    guard::{self, Ground},
    prompts::LEARN,
    thread::Thread,
};

/// Drafts of one conversation.
const MOST: usize = 3;

#[derive(Deserialize)]
struct Drafts {
    items: Vec<Draft>,
}

#[derive(Deserialize)]
struct Draft {
    title: String,
    answer: String,
    #[serde(default)]
    questions: Vec<String>,
}

/// Asks what a conversation teaches, and proposes it. What has somebody's data in it is left out, and is never unmasked.
///
/// # Errors
/// As the database fails.
pub fn learn<'a>(
    context: &'a Context,
    settings: &'a Settings,
    (company_id, user_id): (Uuid, Option<Uuid>),
    thread: &'a Thread,
) -> BoxFuture<'a, Result<Result<Vec<Uuid>, Refused>, Error>> {
    Box::pin(async move {
        // Names stand in for personal data whatever the company lets its model read: what is learned is read by others.
        let mut mask = Mask::new(true);
        let about = About { company_id, conversation_id: Some(thread.id), user_id, patience: PATIENCE, once: None };
        let words = LEARN.words(&thread.company_name, settings, &[]);
        let data = json!({"conversation": thread.told(&mut mask)});
        let given = ask_about::<Drafts>(context, settings, about, (Purpose::Learn, &LEARN), (words.clone(), &data)).await?;
        let Given { answer: Drafts { items }, .. } = match given {
            Ok(given) => given,
            Err(refused) => return Ok(Err(refused)),
        };
        let transaction = context.begin_system(company_id).await?;
        let mut proposed = Vec::new();
        let by_agents: Vec<String> =
            thread.lines.iter().filter(|line| line.by_id.is_some() && line.has_words).map(|line| line.text.clone()).collect();
        let ground = Ground {
            question: "",
            company: &thread.company_name,
            prompt: &words,
            sources: &by_agents,
            said: &[],
            forbidden: &settings.forbidden_topics,
            languages: &settings.languages,
        };
        let is_learned = |draft: &Draft| is_for_all(draft) && is_of_agents(draft, ground);
        for Draft { title, answer, questions } in items.into_iter().filter(is_learned).take(MOST) {
            let learned = Learned { title: &title, answer: &answer, questions: &questions, conversation_id: thread.id };
            proposed.extend(propose(context, &transaction, learned).await?);
        }
        transaction.commit_quietly().await?;
        Ok(Ok(proposed))
    })
}

/// Whether the answer is what the agents have said, and how it is asked for brings nothing else.
fn is_of_agents(draft: &Draft, ground: Ground<'_>) -> bool {
    let mut asked = [&draft.title].into_iter().chain(&draft.questions);
    guard::objection(&draft.answer, ground).is_none() && asked.all(|text| guard::of_any_text(text, ground).is_none())
}

/// Whether nobody's own data are in it, or names that stand for them.
fn is_for_all(draft: &Draft) -> bool {
    let texts = [&draft.title, &draft.answer].into_iter().chain(&draft.questions);
    texts.into_iter().all(|text| personal(text).is_empty() && !has_masked(text))
}
