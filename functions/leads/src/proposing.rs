//! A model is asked what is known of a lead's budget, authority, need and time; what it says is kept as a proposal, and nothing of it is the lead's.

use ai::{
    asking::{PATIENCE, PAUSE, ask_about},
    problem_of,
    prompts::QUALIFY,
};
use futures_util::future::try_join4;
use jiff::civil::Date;
use shared::{
    ai::{self as models, About, Given, Mask, Once, Purpose, Refused, Settings},
    error::NOT_FOUND,
    prelude::*,
};
use tokio::time::sleep;

use crate::{
    LEAD, Lead,
    qualifying::{Judged, Line, Proposed, Quote, Said, judge, told},
};

pub const NOTHING_KNOWN: Problem = Problem::new(
    409,
    "nothing_known",
    "Não há conversa nem anotação deste lead que você possa ler.",
    "There is no conversation and nothing written down of this lead that you may read.",
);

/// The newest words of the conversations with the lead's client that the caller sees, and what people have written down, in order.
const LINES: &str = "
    select id, voice, text, at
      from ((select message.id, message.sender_type as voice, message.body as text, message.sent_at as at
               from (select conversations.company_id, conversations.id
                       from leads
                       join conversations on conversations.company_id = leads.company_id and conversations.client_id = leads.client_id
                      where leads.id = $1
                      order by conversations.last_message_at desc, conversations.id
                      limit 10) talk
              cross join lateral (
                     select id, sender_type, body, sent_at
                       from messages
                      where messages.company_id = talk.company_id and messages.conversation_id = talk.id and messages.deleted_at is null
                        and messages.kind <> 'reaction' and messages.sender_type in ('client', 'agent', 'bot') and messages.body <> ''
                      order by messages.sent_at desc, messages.id desc
                      limit 60) message
              order by message.sent_at desc, message.id desc
              limit 60)
            union all
            (select id, 'note', concat_ws(E'\\n', summary, details, next_step), at
               from lead_interactions
              where lead_id = $1 and source in ('person', 'import')
              order by at desc, id desc
              limit 20)) lines
     order by at, id";

const FRAME: &str = "
    select name as company_name, (now() at time zone time_zone)::date as today, clock_timestamp() as read_at
      from companies where id = app.company_id()";

#[derive(FromRow)]
struct Frame {
    company_name: String,
    today: Date,
    read_at: Timestamp,
}

/// The columns of `Proposal`.
macro_rules! proposal_columns {
    () => {
        "id, lead_id, run_id, proposed, quotes, dropped, 'ai:' || id as source, created_at"
    };
}

/// What a model proposes, each value with the words that it is taken from. A person confirms it by `PUT /leads/{id}/qualification`.
#[derive(Clone, Debug, Serialize, JsonSchema, FromRow)]
#[schemars(rename = "QualificationProposal")]
pub struct Proposal {
    pub id: Uuid,
    pub lead_id: Uuid,
    /// `POST /ai/runs/{id}/feedback` takes what it is worth.
    pub run_id: Uuid,
    /// As `PUT /leads/{id}/qualification` takes it; what nobody has said is not there.
    #[schemars(with = "Proposed")]
    pub proposed: Value,
    #[schemars(with = "Vec<Quote>")]
    pub quotes: Value,
    /// Values that the model gave with words that do not stand where it said.
    pub dropped: i32,
    /// For `source` of `PUT /leads/{id}/qualification`.
    pub source: String,
    pub created_at: Timestamp,
}

const KEEP: &str = concat!(
    "insert into lead_proposals (id, lead_id, run_id, asked_by, proposed, quotes, dropped)
     values ($1, $2, $3, $4, $5, $6, $7)
     returning ",
    proposal_columns!()
);

const OF_RUN: &str = concat!("select ", proposal_columns!(), " from lead_proposals where run_id = $1");

/// Asks what is known of a lead by what the caller sees, and keeps what is proposed. Of one person who asks twice at once, the first question does
/// for both.
///
/// # Errors
/// 404 when they see no such lead; `NOTHING_KNOWN`; why there is no answer; as the database fails.
pub async fn propose(context: &Context, caller: &Staff, lead_id: Uuid) -> Result<Proposal, Error> {
    let transaction = context.begin(caller).await?;
    let (lead, lines, frame, settings): (Lead, Vec<Line>, Frame, Settings) = try_join4(
        transaction.one(LEAD, &[&lead_id]),
        transaction.all(LINES, &[&lead_id]),
        transaction.one(FRAME, &[]),
        models::settings(&transaction),
    )
    .await?;
    transaction.commit_unaudited().await?;
    if lead.deleted_at.is_some() {
        return Err(NOT_FOUND.into());
    }
    if lines.is_empty() {
        return Err(NOTHING_KNOWN.into());
    }
    let Frame { company_name, today, read_at } = frame;
    let mut mask = Mask::new(settings.masks);
    let read = told(&lines, &mut mask);
    let numbered = lines.iter().zip(&read).enumerate();
    let data: Vec<Value> = numbered
        .map(|(place, (line, text))| json!({"line": place + 1, "from": line.voice.as_str(), "at": line.at, "text": text}))
        .collect();
    let data = json!({"today": today, "lines": data});
    // What somebody sees is theirs: nobody gets another's proposal.
    let once = Once { work: Uuid::from_u128(lead_id.as_u128() ^ caller.user_id.as_u128()), since: read_at };
    let given: Result<Given<Said>, Refused> = loop {
        let patience = PATIENCE.saturating_sub(context.elapsed());
        let about = About {
            company_id: caller.company_id,
            conversation_id: None,
            user_id: Some(caller.user_id),
            patience,
            once: Some(once),
        };
        let words = QUALIFY.words(&company_name, &settings, &[]);
        let given = ask_about(context, &settings, about, (Purpose::Qualify, &QUALIFY), (words, &data)).await?;
        let Err(Refused::Asked(run_id)) = given else { break given };
        if patience < PAUSE {
            break given;
        }
        sleep(PAUSE).await;
        let transaction = context.begin_system(caller.company_id).await?;
        let theirs: Option<Proposal> = transaction.first(OF_RUN, &[&run_id]).await?;
        transaction.commit_quietly().await?;
        if let Some(proposal) = theirs {
            return Ok(proposal);
        }
    };
    let Given { run_id, answer, .. } = given.map_err(problem_of)?;
    let Judged { proposed, quotes, dropped } = judge(answer, &lines, (&read, &mask), today);
    let (id, proposed, quotes) = (context.new_id(), json!(proposed), json!(quotes));
    let transaction = context.begin_system(caller.company_id).await?;
    let proposal: Proposal =
        transaction.one(KEEP, &[&id, &lead_id, &run_id, &caller.user_id, &proposed, &quotes, &dropped]).await?;
    transaction.commit_quietly().await?;
    Ok(proposal)
}
