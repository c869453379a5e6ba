//! POST /ai/compose-message — writes, rewrites or translates a message that the agent checks and sends.

use ai::{
    AI_UNCLEAR, ai_fails,
    asking::{PATIENCE, ask_about},
    guard::{self, Ground},
    problem_of,
    prompts::COMPOSE,
    thread::Thread,
};
use futures_util::future::try_join;
use shared::{
    ai::{self as models, About, Given, Mask, Purpose},
    closed_set,
    error::NOT_FOUND,
    prelude::*,
};

const ROUTE: Route = Route::post("/ai/compose-message").fails(ai_fails!(NOT_FOUND));

reads!(REACHABLE_INSIDE);

closed_set! {
    /// What is done with the words.
    Task {
        /// A message is made of what is to be said.
        Compose = "compose",
        /// The message is said better.
        Rewrite = "rewrite",
        /// The message is said in another language.
        Translate = "translate",
    }
}

closed_set! {
    Length { Short = "short", Medium = "medium", Long = "long" }
}

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ComposeInput {
    /// What is answered; without it, the message is for nobody in particular.
    #[garde(skip)]
    conversation_id: Option<Uuid>,
    /// What is to be said, or the message that is to be said otherwise.
    #[garde(length(chars, min = 1, max = 4_000))]
    message: String,
    #[garde(skip)]
    #[serde(default = "compose")]
    task: Task,
    /// Instead of the company's.
    #[garde(length(chars, min = 1, max = 200))]
    tone: Option<String>,
    #[garde(skip)]
    #[serde(default = "medium")]
    length: Length,
    /// Of `translate`, such as `en` or `es`.
    #[garde(pattern(r"^[a-z]{2,3}(-[A-Za-z]{2})?$"))]
    #[schemars(regex(pattern = r"^[a-z]{2,3}(-[A-Za-z]{2})?$"))]
    language: Option<String>,
}

const fn compose() -> Task {
    Task::Compose
}

const fn medium() -> Length {
    Length::Medium
}

/// A message that nobody has sent.
#[derive(Serialize, JsonSchema)]
struct Composed {
    /// `POST /ai/runs/{id}/feedback` takes what it was worth.
    run_id: Uuid,
    text: String,
}

#[derive(Deserialize)]
struct ComposedText {
    text: String,
}

const COMPANY: &str = "select name as company_name from companies where id = app.company_id()";

#[derive(FromRow)]
struct Company {
    company_name: String,
}

pub fn main() {
    serve(&ROUTE, ai_compose_message);
}

async fn ai_compose_message(context: Context, agent: Staff, Json(wish): Json<ComposeInput>) -> Result<Json<Composed>, Error> {
    let transaction = context.begin(&agent).await?;
    let thread = async {
        match wish.conversation_id {
            Some(id) => Thread::read(&transaction, id).await.map(Some),
            None => Ok(None),
        }
    };
    let (thread, mut settings) = try_join(thread, models::settings(&transaction)).await?;
    let company_name = match &thread {
        Some(thread) => thread.company_name.clone(),
        None => transaction.one::<Company>(COMPANY, &[]).await?.company_name,
    };
    transaction.commit_unaudited().await?;
    settings.tone = wish.tone.clone().unwrap_or(settings.tone);
    if let (Task::Translate, Some(language)) = (wish.task, &wish.language) {
        settings.languages = vec![language.clone()];
    }
    let mut mask = Mask::new(settings.masks);
    let length = match wish.length {
        Length::Short => "até 200 caracteres",
        Length::Medium => "até 500 caracteres",
        Length::Long => "até 1000 caracteres",
    };
    let words = COMPOSE.words(&company_name, &settings, &[("length", length)]);
    let conversation = thread.as_ref().map_or(json!([]), |thread| thread.told(&mut mask));
    let data = json!({"task": wish.task, "wish": mask.hide(&wish.message), "conversation": conversation});
    let about = About {
        company_id: agent.company_id,
        conversation_id: wish.conversation_id,
        user_id: Some(agent.user_id),
        patience: PATIENCE,
        once: None,
    };
    let purpose = if wish.task == Task::Compose { Purpose::Compose } else { Purpose::Rewrite };
    let given = ask_about::<ComposedText>(&context, &settings, about, (purpose, &COMPOSE), (words.clone(), &data)).await?;
    let Given { run_id, answer: ComposedText { text }, .. } = given.map_err(problem_of)?;
    let text = mask.show(text.trim());
    let said = thread.as_ref().map(Thread::said_by_client).unwrap_or_default();
    let lines = thread.iter().flat_map(|thread| &thread.lines).filter(|line| line.by_id.is_some());
    let own: Vec<String> = lines.map(|line| line.text.clone()).chain([wish.message.clone()]).collect();
    let (sources, forbidden) = ([wish.message], []);
    let ground = Ground {
        question: "",
        company: &company_name,
        prompt: &words,
        sources: &sources,
        said: &said,
        forbidden: &forbidden,
        languages: &settings.languages,
    };
    match guard::of_any_text(&text, ground).or_else(|| guard::of_sums(&text, &own)) {
        None => Ok(Json(Composed { run_id, text })),
        Some(objection) => Err(AI_UNCLEAR.caused_by(objection.as_str())),
    }
}
