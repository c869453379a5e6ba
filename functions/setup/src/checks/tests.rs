use super::*;
use crate::steps::StepState::Ok;

fn busy() -> Failure {
    Failure::Busy { after: Duration::ZERO, code: "2".into() }
}

fn blocked() -> Failure {
    Failure::Blocked { code: "190".into(), detail: String::new() }
}

#[test]
fn the_worst_of_the_channels_is_told() {
    let judged = |asked: Vec<(&'static str, Option<Failure>)>| judge_channels(asked.into_iter());
    assert_eq!(judged(vec![("a", None), ("b", None)]).state, Ok);
    let silent = judged(vec![("a", None), ("b", Some(busy()))]);
    assert_eq!((silent.state, silent.detail.0.as_str()), (Warning, "O WhatsApp não respondeu sobre: b."));
    let refused = judged(vec![("a", Some(blocked())), ("b", Some(busy())), ("c", Some(blocked()))]);
    assert_eq!((refused.state, refused.detail.1.as_str()), (Failing, "WhatsApp refuses the token of: a, c."));
}

#[test]
fn what_is_missing_is_told_with_what_to_do() {
    let nothing = Facts::default();
    for finding in [webhooks(&nothing, false), bot(&nothing), departments(&nothing)] {
        assert_eq!(finding.state, Missing, "{finding:?}");
        assert!(finding.action.is_some() && !finding.link.is_empty());
    }
    assert_eq!(webhooks(&nothing, true).state, Warning);
    assert_eq!(bot(&Facts { has_flow: true, ..Facts::default() }).state, Warning);
    let without = Facts { departments: 2, without_members: vec!["Vendas".into()], ..Facts::default() };
    assert_eq!(departments(&without).detail.0, "Ninguém está em: Vendas.");
}

#[test]
fn a_scheduler_that_is_silent_is_told() {
    let now: Timestamp = "2026-11-28T12:00:00Z".parse().unwrap();
    let ran = |at: &str| scheduler(&Facts { last_run: at.parse().ok(), ..Facts::default() }, now).state;
    assert_eq!([ran("2026-11-28T11:58:00Z"), ran("2026-11-28T11:54:59Z"), ran("never")], [Ok, Failing, Failing]);
}

#[test]
fn a_model_that_does_not_answer_fails() {
    assert_eq!(judge_model(&ai::Answer::Listed, "m").state, Ok);
    for answer in [ai::Answer::NoSuchModel, ai::Answer::Refused, ai::Answer::Silent("not_public")] {
        assert_eq!(judge_model(&answer, "m").state, Failing);
    }
}
