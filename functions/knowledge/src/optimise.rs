//! The job that looks for what could be better: articles too many, too old or missing. It only proposes.

use std::{collections::HashMap, time::Duration};

use futures_util::future::try_join3;
use shared::{
    prelude::*,
    progress::{Ending, Progress, Step},
};

use crate::{
    judge::{Compared, Gap, Relation, gaps, pairs},
    proposals::{Draft, Kind, New, add},
    search::{ANSWERED, best_score},
};

/// Articles that are compared, at most: the first ones.
const MOST_ARTICLES: usize = 20_000;
/// Articles that are read at once.
const PAGE: i64 = 500;
/// Proposals of a kind in one run.
const MOST: usize = 300;
/// Questions that are grouped.
const MOST_QUESTIONS: i64 = 4_000;
/// Times that something has to be asked.
const OFTEN: usize = 2;

const ARTICLES: &str = "
    select id, version, title, lines, answer, helped, updated_at
      from knowledge_articles
     where status = 'active' and removed_at is null and id > $1
     order by id
     limit $2";

#[derive(FromRow)]
struct Row {
    id: Uuid,
    version: i32,
    title: String,
    lines: Vec<String>,
    answer: String,
    helped: i32,
    updated_at: Timestamp,
}

/// What no longer holds, has not helped, or has been used by nobody for half a year.
const STALE: &str = "
    select id, version, helped, not_helped, last_used_at, valid_until,
           case when valid_until < now() then 'expired'
                when not_helped >= 3 and not_helped > 2 * helped then 'not_helpful'
                else 'unused' end as reason
      from knowledge_articles
     where status = 'active' and removed_at is null
       and (valid_until < now()
            or not_helped >= 3 and not_helped > 2 * helped
            or greatest(last_used_at, updated_at) < now() - interval '180 days')
     order by id
     limit $1";

#[derive(FromRow)]
struct Stale {
    id: Uuid,
    version: i32,
    helped: i32,
    not_helped: i32,
    last_used_at: Option<Timestamp>,
    valid_until: Option<Timestamp>,
    reason: String,
}

/// What was looked for and not found, what did not help, and what the bot did not understand, within thirty days.
const MISSED: &str = "select query as text from knowledge_misses where at > now() - interval '30 days' order by at desc limit $1";
const NOT_HELPED: &str = "
    select query as text
      from knowledge_uses
     where not helped and query is not null and created_at > now() - interval '30 days'
     order by created_at desc
     limit $1";
const NOT_UNDERSTOOD: &str = "
    select said as text
      from bot_steps
     where at > now() - interval '30 days' and outcome = 'missed' and said is not null
     order by at desc
     limit $1";

#[derive(FromRow)]
struct Said {
    text: String,
}

const FORGET: &str = "delete from knowledge_misses where at < now() - interval '90 days'";

/// How far it is, and what it has proposed.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Place {
    steps: usize,
    duplicates: usize,
    contradictions: usize,
    stale: usize,
    unanswered: usize,
}

/// Somebody has looked for what could be better: proposals are read anew.
#[derive(Debug, Serialize, JsonSchema)]
pub struct KnowledgeOptimized {
    pub job_id: Uuid,
    /// New proposals.
    pub proposed: usize,
}

event!(KnowledgeOptimized = "knowledge.optimized");

/// Takes up the job, or goes on with it. What was proposed before is not proposed again.
///
/// # Errors
/// As the database fails.
pub async fn optimise(context: Context, job: Claimed) -> Result<Outcome, Error> {
    let Some(mut progress) = Progress::begin(&context, job.company_id, job.id).await? else {
        return Ok(Outcome::Failed { reason: "nobody watches it".to_owned() });
    };
    let mut place: Place = progress.place()?.unwrap_or_default();
    while place.steps < 3 && !progress.is_cancelled() {
        let found = match place.steps {
            0 => too_many(&context, &job).await?,
            1 => stale(&context, &job).await?,
            _ => missing(&context, &job).await?,
        };
        let transaction = context.begin_system(job.company_id).await?;
        for new in &found {
            let is_new = add(&context, &transaction, new).await?.is_some();
            let count = match new.kind {
                Kind::Duplicate => &mut place.duplicates,
                Kind::Contradiction => &mut place.contradictions,
                Kind::Stale => &mut place.stale,
                Kind::Unanswered | Kind::Learned => &mut place.unanswered,
            };
            *count += usize::from(is_new);
        }
        if place.steps == 0 {
            progress.expect(&transaction, 3).await?;
        }
        place.steps += 1;
        let step = progress.advance(&transaction, 1, 0, place).await?;
        transaction.commit_quietly().await?;
        if step == Step::Pause && place.steps < 3 {
            return Ok(Outcome::Hold { after: Duration::from_secs(1) });
        }
    }
    let ending = if progress.is_cancelled() { Ending::Cancelled } else { Ending::Done };
    let Place { duplicates, contradictions, stale, unanswered, .. } = place;
    let proposed = duplicates + contradictions + stale + unanswered;
    let result = json!({
        "proposed": proposed, "duplicates": duplicates, "contradictions": contradictions, "stale": stale, "unanswered": unanswered,
    });
    let transaction = context.begin_system(job.company_id).await?;
    transaction.execute(FORGET, &[]).await?;
    transaction.tell_staff(&KnowledgeOptimized { job_id: job.id, proposed });
    progress.finish(&transaction, ending, &result).await?;
    job.finish(&transaction);
    transaction.commit_quietly().await?;
    Ok(Outcome::Done)
}

/// What is kept of an article while all are compared.
struct Known {
    version: i32,
    title: String,
    helped: i32,
    updated_at: Timestamp,
    answer: String,
}

/// Articles of which one says what another does, or something else.
async fn too_many(context: &Context, job: &Claimed) -> Result<Vec<New>, Error> {
    let mut compared = Vec::new();
    let mut known: HashMap<Uuid, Known> = HashMap::new();
    let mut after = Uuid::nil();
    loop {
        let transaction = context.begin_system(job.company_id).await?;
        let rows: Vec<Row> = transaction.all(ARTICLES, &[&after, &PAGE]).await?;
        transaction.commit_quietly().await?;
        let Some(last) = rows.last() else { break };
        after = last.id;
        for row in rows {
            compared.push(Compared::new(row.id, row.version, &row.lines, &row.answer));
            let answer = row.answer.chars().take(300).collect();
            let Row { version, title, helped, updated_at, .. } = row;
            known.insert(row.id, Known { version, title, helped, updated_at, answer });
        }
        if compared.len() >= MOST_ARTICLES {
            break;
        }
    }
    let proposal = |pair: crate::judge::Pair| {
        let better = |id: &Uuid| (known[id].helped, known[id].updated_at, *id);
        // The one that helped more stays, and of equals what was written later.
        let (stays, goes) = if better(&pair.one) > better(&pair.other) { (pair.one, pair.other) } else { (pair.other, pair.one) };
        let kind = match pair.relation {
            Relation::Duplicate => Kind::Duplicate,
            Relation::Contradiction => Kind::Contradiction,
        };
        let told = |id: Uuid| {
            let Known { title, answer, helped, updated_at, .. } = &known[&id];
            let figures = crate::judge::figures(answer);
            json!({"id": id, "title": title, "answer": answer, "figures": figures, "helped": helped, "updated_at": updated_at})
        };
        let mut seen = [(stays, known[&stays].version), (goes, known[&goes].version)];
        let [article, other] = seen;
        seen.sort_unstable();
        New {
            kind,
            key: format!("{seen:?}"),
            article: Some(article),
            other: Some(other),
            draft: None,
            evidence: json!({"likeness": pair.likeness, "articles": [told(stays), told(goes)]}),
        }
    };
    Ok(pairs(&compared).into_iter().take(MOST).map(proposal).collect())
}

async fn stale(context: &Context, job: &Claimed) -> Result<Vec<New>, Error> {
    let transaction = context.begin_system(job.company_id).await?;
    let limit = i64::try_from(MOST).unwrap_or(i64::MAX);
    let rows: Vec<Stale> = transaction.all(STALE, &[&limit]).await?;
    transaction.commit_quietly().await?;
    let proposal = |row: Stale| New {
        kind: Kind::Stale,
        key: format!("{} {} {}", row.id, row.version, row.reason),
        article: Some((row.id, row.version)),
        other: None,
        draft: None,
        evidence: json!({
            "reason": row.reason, "helped": row.helped, "not_helped": row.not_helped, "last_used_at": row.last_used_at,
            "valid_until": row.valid_until,
        }),
    };
    Ok(rows.into_iter().map(proposal).collect())
}

/// Questions that nothing answers by now.
async fn missing(context: &Context, job: &Claimed) -> Result<Vec<New>, Error> {
    let transaction = context.begin_system(job.company_id).await?;
    let (missed, not_helped, not_understood) = try_join3(
        transaction.all::<Said>(MISSED, &[&MOST_QUESTIONS]),
        transaction.all::<Said>(NOT_HELPED, &[&MOST_QUESTIONS]),
        transaction.all::<Said>(NOT_UNDERSTOOD, &[&MOST_QUESTIONS]),
    )
    .await?;
    let asked: Vec<String> = missed.into_iter().chain(not_helped).chain(not_understood).map(|said| said.text).collect();
    let mut proposals = Vec::new();
    for Gap { key, questions, count } in gaps(&asked, OFTEN).into_iter().take(MOST / 3) {
        let Some(first) = questions.first() else { continue };
        if best_score(&transaction, first).await? >= ANSWERED {
            continue;
        }
        let cut = |text: &String, most: usize| crate::import::shown(text).chars().take(most).collect::<String>();
        let title = cut(first, crate::articles::TITLE);
        let questions: Vec<String> =
            questions.iter().map(|question| cut(question, crate::articles::QUESTION)).filter(|text| !text.is_empty()).collect();
        proposals.push(New {
            kind: Kind::Unanswered,
            key,
            article: None,
            other: None,
            evidence: json!({"count": count, "questions": questions}),
            draft: Some(Draft { title, answer: String::new(), questions }),
        });
    }
    transaction.commit_quietly().await?;
    Ok(proposals)
}
