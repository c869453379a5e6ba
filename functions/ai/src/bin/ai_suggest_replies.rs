//! POST /ai/suggest-replies — what the agent could answer, in their own voice.

use ai::{
    AI_UNCLEAR, NOTHING_SAID, ai_fails, answering,
    asking::{PATIENCE, ask_about},
    guard::{self, Ground},
    problem_of,
    prompts::SUGGEST,
    thread::Thread,
};
use futures_util::future::try_join;
use knowledge::search::Audience;
use shared::{
    ai::{self as models, About, Given, Mask, Purpose},
    error::NOT_FOUND,
    prelude::*,
};

const ROUTE: Route = Route::post("/ai/suggest-replies").fails(ai_fails!(NOT_FOUND, NOTHING_SAID));

reads!(REACHABLE_INSIDE);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SuggestInput {
    #[garde(skip)]
    conversation_id: Uuid,
    #[garde(range(min = 1, max = 5))]
    #[serde(default = "three")]
    count: u8,
    /// Instead of the company's.
    #[garde(length(chars, min = 1, max = 200))]
    tone: Option<String>,
}

const fn three() -> u8 {
    3
}

/// What nobody has sent.
#[derive(Serialize, JsonSchema)]
struct Suggestions {
    /// `POST /ai/runs/{id}/feedback` takes what they were worth.
    run_id: Uuid,
    /// Fewer than asked for where the model had no more that can be used.
    suggestions: Vec<String>,
}

#[derive(Deserialize)]
struct Suggested {
    suggestions: Vec<String>,
}

pub fn main() {
    serve(&ROUTE, ai_suggest_replies);
}

async fn ai_suggest_replies(context: Context, agent: Staff, Json(wish): Json<SuggestInput>) -> Result<Json<Suggestions>, Error> {
    let transaction = context.begin(&agent).await?;
    let (thread, mut settings) =
        try_join(Thread::read(&transaction, wish.conversation_id), models::settings(&transaction)).await?;
    let question = thread.last_words().ok_or(NOTHING_SAID)?;
    let found = answering::find(&transaction, &question, Audience::Agents, None).await?;
    transaction.commit_unaudited().await?;
    settings.tone = wish.tone.unwrap_or(settings.tone);
    let mut mask = Mask::new(settings.masks);
    let count = wish.count.to_string();
    let words = SUGGEST.words(&thread.company_name, &settings, &[("count", &count)]);
    let voice = thread.voice(agent.user_id, &mut mask);
    let near = found.into_iter().filter(answering::is_near);
    let sources: Vec<String> = near.map(|found| format!("{}\n{}", found.title, found.answer)).collect();
    let data = json!({"conversation": thread.told(&mut mask), "voice": voice, "sources": sources});
    let about = About {
        company_id: agent.company_id,
        conversation_id: Some(thread.id),
        user_id: Some(agent.user_id),
        patience: PATIENCE,
        once: None,
    };
    let given = ask_about::<Suggested>(&context, &settings, about, (Purpose::Suggest, &SUGGEST), (words.clone(), &data)).await?;
    let Given { run_id, answer: Suggested { suggestions }, .. } = given.map_err(problem_of)?;
    let said = thread.said_by_client();
    let own: Vec<String> = thread.lines.iter().filter(|line| line.by_id.is_some()).map(|line| line.text.clone()).collect();
    let grounds: Vec<String> = sources.into_iter().chain(own).collect();
    let ground = Ground {
        question: &question,
        company: &thread.company_name,
        prompt: &words,
        sources: &grounds,
        said: &said,
        forbidden: &settings.forbidden_topics,
        languages: &settings.languages,
    };
    let mut kept: Vec<String> = Vec::new();
    for suggestion in suggestions.iter().map(|suggestion| mask.show(suggestion.trim())) {
        let objection = guard::of_any_text(&suggestion, ground).or_else(|| guard::of_facts(&suggestion, &grounds));
        if objection.is_none() && !kept.contains(&suggestion) && kept.len() < wish.count.into() {
            kept.push(suggestion);
        }
    }
    if kept.is_empty() {
        return Err(AI_UNCLEAR.caused_by("no suggestion that can be used"));
    }
    Ok(Json(Suggestions { run_id, suggestions: kept }))
}
