//! The score of a lead, of what is known of it at a time: the same facts give the same figures.

use std::borrow::Cow;

use jiff::Timestamp;
use shared::{closed_set, prelude::*};

use crate::{
    facts::Facts,
    rules::{CustomRule, CustomTest, Scoring},
};

closed_set! {
    /// How likely a lead is to buy, by its score.
    pub Temperature { Cold = "cold" | "frio", Warm = "warm" | "morno", Hot = "hot" | "quente" }
}

closed_set! {
    /// Who decides.
    pub AuthorityLevel { DecisionMaker = "decision_maker", Influencer = "influencer", User = "user", Unknown = "unknown" }
}

closed_set! {
    /// How much they need it.
    pub NeedLevel { High = "high", Medium = "medium", Low = "low", Unknown = "unknown" }
}

/// Why there are points, or fewer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Evidence {
    /// Which rule: `qualification`, `quick_reply`, `email`, `decay`, `custom` …
    pub rule: Cow<'static, str>,
    /// What people read, in Portuguese.
    pub label: String,
    pub points: i32,
}

/// What a lead's facts come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures {
    /// 0–100.
    pub qualification: i32,
    /// 0–100.
    pub score: i32,
    pub temperature: Temperature,
    /// What makes the score; its sum is the score, but for rounding and the bounds.
    pub evidence: Vec<Evidence>,
    /// Rules of the company's own that say nothing for this lead: what they divide by is nothing, or is no figure.
    pub broken: Vec<String>,
}

/// Of budget, authority, need and time, 25 points each.
#[must_use]
pub fn qualification(facts: &Facts) -> [(&'static str, &'static str, i32); 4] {
    let covers = facts.budget_amount.zip(facts.potential_value).is_some_and(|(amount, value)| amount >= value);
    // Confirmed for a value that nobody has said is confirmed for it.
    let is_enough = facts.budget_amount.is_some() && (covers || facts.potential_value.is_none());
    let budget = match (facts.budget_confirmed, facts.budget_amount.is_some()) {
        (Some(true), _) if is_enough => 25,
        (Some(true), _) | (_, true) => 15,
        _ => 0,
    };
    let authority = match facts.authority_level {
        Some(AuthorityLevel::DecisionMaker) => 25,
        Some(AuthorityLevel::Influencer) => 15,
        Some(AuthorityLevel::User) => 5,
        Some(AuthorityLevel::Unknown) | None => 0,
    };
    let need = match facts.need_level {
        Some(NeedLevel::High) => 25,
        Some(NeedLevel::Medium) => 15,
        Some(NeedLevel::Low) => 5,
        Some(NeedLevel::Unknown) | None => 0,
    };
    let timeline = match facts.timeline_days {
        Some(..=30) => 25,
        Some(..=90) => 15,
        Some(..=180) => 5,
        Some(_) | None => 0,
    };
    [
        ("budget", "Orçamento", budget),
        ("authority", "Autoridade", authority),
        ("need", "Necessidade", need),
        ("timeline", "Prazo", timeline),
    ]
}

/// By the rules, at a time.
#[must_use]
pub fn figures(rules: &Scoring, facts: &Facts, now: Timestamp) -> Figures {
    let qualification: i32 = qualification(facts).iter().map(|(.., points)| points).sum();
    let mut evidence = Vec::new();
    // In hundredths until all is added up.
    let of_qualification = qualification * i32::from(rules.qualification_percent);
    add(&mut evidence, "qualification", "Qualificação", half_up(of_qualification));
    let done = activity(rules, facts, now, &mut evidence);
    let profile = profile(rules, facts, &mut evidence);
    let days = days_since(facts.contacted_at, now);
    let decay = rules.decay.iter().filter(|decay| days > i64::from(decay.days)).map(|decay| i32::from(decay.points)).max().unwrap_or(0);
    add(&mut evidence, "decay", &format!("{days} dias sem contato"), -decay);
    let (own, broken) = custom(rules, facts, &mut evidence);
    let score = (half_up(of_qualification) + done + profile - decay + own).clamp(0, 100);
    let temperature = match score {
        _ if score >= i32::from(rules.hot_from) => Temperature::Hot,
        _ if score >= i32::from(rules.warm_from) => Temperature::Warm,
        _ => Temperature::Cold,
    };
    Figures { qualification, score, temperature, evidence, broken }
}

fn half_up(hundredths: i32) -> i32 {
    (hundredths + 50).div_euclid(100)
}

/// Whole days that have passed.
fn days_since(at: Timestamp, now: Timestamp) -> i64 {
    now.duration_since(at).as_secs().div_euclid(86_400)
}

fn add(evidence: &mut Vec<Evidence>, rule: &'static str, label: &str, points: i32) {
    if points != 0 {
        evidence.push(Evidence { rule: rule.into(), label: label.to_owned(), points });
    }
}

fn activity(rules: &Scoring, facts: &Facts, now: Timestamp, evidence: &mut Vec<Evidence>) -> i32 {
    let points = &rules.activity;
    let has_replied = facts.replied_at.is_some_and(|at| days_since(at, now) < 7);
    let (meeting, meeting_label, of_meeting) = match (facts.meetings_held > 0, facts.meetings_scheduled > 0) {
        (true, _) => ("meeting_held", "Reunião realizada", points.meeting_held),
        (false, true) => ("meeting_scheduled", "Reunião marcada", points.meeting_scheduled),
        (false, false) => ("meeting_held", "", 0),
    };
    let interactions = i64::from(points.interaction) * facts.recent_interactions;
    let interactions = u8::try_from(interactions.min(points.interactions_at_most.into())).unwrap_or(points.interactions_at_most);
    let parts = [
        ("quick_reply", "Respondeu em até 1 hora", if facts.has_replied_quickly { points.quick_reply } else { 0 }),
        ("recent_reply", "Respondeu nos últimos 7 dias", if has_replied { points.recent_reply } else { 0 }),
        (meeting, meeting_label, of_meeting),
        ("proposal_sent", "Proposta enviada", if facts.proposals > 0 { points.proposal_sent } else { 0 }),
        ("interactions", "Interações nos últimos 30 dias", interactions),
    ];
    for (rule, label, points) in parts {
        add(evidence, rule, label, points.into());
    }
    let sum: i32 = parts.iter().map(|(.., points)| i32::from(*points)).sum();
    let counted = sum.min(points.at_most.into());
    add(evidence, "activity_at_most", "Limite das atividades", counted - sum);
    counted
}

fn profile(rules: &Scoring, facts: &Facts, evidence: &mut Vec<Evidence>) -> i32 {
    let points = &rules.profile;
    let is_known = |field: &str| facts.fields.get(field).is_some_and(|value| !value.is_null());
    let parts = [
        ("email", "E-mail", points.email),
        ("phone", "Telefone", points.phone),
        ("company", "Empresa", points.company),
        ("job_title", "Cargo", points.job_title),
    ]
    .map(|(field, label, points)| (field, label, if is_known(field) { i32::from(points) } else { 0 }));
    for (rule, label, points) in parts {
        add(evidence, rule, label, points);
    }
    parts.iter().map(|(.., points)| points).sum()
}

fn custom(rules: &Scoring, facts: &Facts, evidence: &mut Vec<Evidence>) -> (i32, Vec<String>) {
    let (mut sum, mut broken) = (0, Vec::new());
    for rule in &rules.custom {
        match holds(rule, facts) {
            Ok(false) => {}
            Ok(true) => {
                sum += i32::from(rule.points);
                add(evidence, "custom", &rule.label, rule.points.into());
            }
            Err(NoFigure) => broken.push(rule.label.clone()),
        }
    }
    (sum, broken)
}

/// What is compared is none.
struct NoFigure;

fn holds(rule: &CustomRule, facts: &Facts) -> Result<bool, NoFigure> {
    let field = |name: &str| match name.strip_prefix("custom_fields.") {
        Some(key) => facts.fields.get("custom_fields").and_then(|fields| fields.get(key)),
        None => facts.fields.get(name),
    };
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_lowercase);
    let figure = |value: &Value| value.as_f64().or_else(|| value.as_str()?.parse().ok()).ok_or(NoFigure);
    let Some(value) = field(&rule.field).filter(|value| !value.is_null()) else { return Ok(false) };
    let wanted = rule.value.as_deref().unwrap_or_default();
    let compared = || -> Result<f64, NoFigure> {
        let Some(per) = &rule.per else { return figure(value) };
        let divided = figure(value)? / field(per).map_or(Err(NoFigure), figure)?;
        if divided.is_finite() { Ok(divided) } else { Err(NoFigure) }
    };
    let limit = || wanted.parse::<f64>().map_err(|_| NoFigure);
    match rule.test {
        CustomTest::IsSet => Ok(true),
        CustomTest::Equals => Ok(text(value) == wanted.to_lowercase()),
        CustomTest::Contains => Ok(text(value).contains(&wanted.to_lowercase())),
        CustomTest::Above => Ok(compared()? > limit()?),
        CustomTest::Below => Ok(compared()? < limit()?),
    }
}

#[cfg(test)]
mod tests;
