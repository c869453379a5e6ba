//! What is to be done with an execution now, of what is known of it, its lead and its hours. Pure.

use jiff::tz::TimeZone;
use shared::{calendar::NeverOpen, prelude::*};

use crate::{
    execution::ExecutionStatus,
    step::{Step, StepKind},
    window::{Holidays, Hours},
};

/// What is known.
#[derive(Clone, Debug)]
pub struct Facts {
    pub status: ExecutionStatus,
    pub next_run_at: Option<Timestamp>,
    /// Its sequence is there and runs.
    pub is_running: bool,
    /// Null at the end.
    pub step: Option<Step>,
    pub lead: Lead,
    /// What the lead was sent lately.
    pub sent: Vec<Timestamp>,
    pub max_per_day: i32,
    pub hours: Hours,
    pub holidays: Holidays,
    pub zone: TimeZone,
}

/// What is known of the lead.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Lead {
    pub is_open: bool,
    pub has_opted_out: bool,
    pub meets_condition: bool,
    pub has_email: bool,
    /// A phone, or a client.
    pub is_reachable: bool,
    pub is_blocked: bool,
    /// They want nothing of this by WhatsApp.
    pub has_refused: bool,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing, ever: it is over, or waits for its sequence.
    Nothing,
    /// Nothing yet.
    Wait {
        until: Timestamp,
    },
    /// It waits until its sequence runs again.
    Pause,
    /// It is over.
    End {
        status: ExecutionStatus,
        reason: Option<&'static str>,
    },
    /// The step is for later.
    PutOff {
        until: Timestamp,
        reason: &'static str,
    },
    /// The step is passed over.
    Skip {
        reason: &'static str,
    },
    Act,
}

/// Judges at a time.
#[must_use]
pub fn judge(facts: &Facts, now: Timestamp) -> Decision {
    let end = |reason| Decision::End { status: ExecutionStatus::Cancelled, reason: Some(reason) };
    match (facts.status, facts.next_run_at) {
        (ExecutionStatus::Active, Some(next)) if next > now => return Decision::Wait { until: next },
        (ExecutionStatus::Active, _) => {}
        _ => return Decision::Nothing,
    }
    if !facts.is_running {
        return Decision::Pause;
    }
    let lead = &facts.lead;
    if !lead.is_open {
        return end("lead_closed");
    }
    if lead.has_opted_out {
        return end("unsubscribed");
    }
    let Some(step) = &facts.step else { return Decision::End { status: ExecutionStatus::Completed, reason: None } };
    let never = || Decision::End { status: ExecutionStatus::Failed, reason: Some("never_open") };
    match facts.hours.next_run(&facts.zone, &facts.holidays, now) {
        Ok(run) if run > now => return Decision::PutOff { until: run, reason: "outside_window" },
        Ok(_) => {}
        Err(NeverOpen) => return never(),
    }
    if !lead.meets_condition {
        return Decision::Skip { reason: "condition" };
    }
    match step.kind {
        StepKind::Email if !lead.has_email => return Decision::Skip { reason: "no_email" },
        StepKind::Whatsapp if lead.is_blocked => return end("client_blocked"),
        StepKind::Whatsapp if !lead.is_reachable => return Decision::Skip { reason: "no_phone" },
        StepKind::Whatsapp if lead.has_refused => return Decision::Skip { reason: "no_consent" },
        StepKind::CallTask | StepKind::Task => return Decision::Act,
        _ => {}
    }
    let day = |at: Timestamp| facts.zone.to_datetime(at).date();
    let today = facts.sent.iter().filter(|at| day(**at) == day(now)).count();
    if today < usize::try_from(facts.max_per_day).unwrap_or_default() {
        return Decision::Act;
    }
    match facts.hours.next_day(&facts.zone, &facts.holidays, now) {
        Ok(until) => Decision::PutOff { until, reason: "max_per_day" },
        Err(NeverOpen) => never(),
    }
}

#[cfg(test)]
mod tests {
    use shared::calendar::Minute;

    use super::*;
    use crate::window::DayOfWeek;

    fn at(local: &str) -> Timestamp {
        TimeZone::get("America/Sao_Paulo").unwrap().to_timestamp(local.parse().unwrap()).unwrap()
    }

    fn facts(step: Value) -> Facts {
        Facts {
            status: ExecutionStatus::Active,
            next_run_at: Some(at("2026-11-23T10:00")),
            is_running: true,
            step: serde_json::from_value(step).unwrap(),
            lead: Lead {
                is_open: true,
                has_opted_out: false,
                meets_condition: true,
                has_email: true,
                is_reachable: true,
                is_blocked: false,
                has_refused: false,
            },
            sent: Vec::new(),
            max_per_day: 1,
            hours: Hours {
                window_start: Minute::new(9, 0),
                window_end: Minute::new(18, 0),
                weekdays: DayOfWeek::ALL.to_vec(),
                pause_weekends: true,
                pause_holidays: true,
            },
            holidays: Holidays { keeps_optional: true, custom: Vec::new() },
            zone: TimeZone::get("America/Sao_Paulo").unwrap(),
        }
    }

    fn whatsapp() -> Facts {
        facts(json!({"kind": "whatsapp", "body": "Oi"}))
    }

    fn ends(reason: &'static str) -> Decision {
        Decision::End { status: ExecutionStatus::Cancelled, reason: Some(reason) }
    }

    const NOON: &str = "2026-11-23T12:00";

    #[test]
    fn only_what_is_active_and_due_is_done() {
        assert_eq!(judge(&whatsapp(), at(NOON)), Decision::Act);
        assert_eq!(judge(&whatsapp(), at("2026-11-23T09:59:59")), Decision::Wait { until: at("2026-11-23T10:00") });
        for status in [ExecutionStatus::Responded, ExecutionStatus::Paused, ExecutionStatus::Cancelled] {
            assert_eq!(judge(&Facts { status, ..whatsapp() }, at(NOON)), Decision::Nothing);
        }
        assert_eq!(judge(&Facts { is_running: false, ..whatsapp() }, at(NOON)), Decision::Pause);
        let over = Decision::End { status: ExecutionStatus::Completed, reason: None };
        assert_eq!(judge(&facts(Value::Null), at(NOON)), over);
    }

    #[test]
    fn the_window_is_asked_again() {
        let put_off = |until: &str| Decision::PutOff { until: at(until), reason: "outside_window" };
        assert_eq!(judge(&whatsapp(), at("2026-11-23T18:01")), put_off("2026-11-24T09:00"));
        assert_eq!(judge(&whatsapp(), at("2026-11-28T12:00")), put_off("2026-11-30T09:00"));
        let closed = Hours { weekdays: vec![DayOfWeek::Sunday], ..whatsapp().hours };
        let never = Decision::End { status: ExecutionStatus::Failed, reason: Some("never_open") };
        assert_eq!(judge(&Facts { hours: closed, ..whatsapp() }, at(NOON)), never);
    }

    #[test]
    fn what_the_lead_is_decides() {
        let with = |mut facts: Facts, change: fn(&mut Lead)| {
            change(&mut facts.lead);
            judge(&facts, at(NOON))
        };
        let skips = |reason| Decision::Skip { reason };
        assert_eq!(with(whatsapp(), |lead| lead.is_open = false), ends("lead_closed"));
        assert_eq!(with(whatsapp(), |lead| lead.has_opted_out = true), ends("unsubscribed"));
        assert_eq!(with(whatsapp(), |lead| lead.is_blocked = true), ends("client_blocked"));
        assert_eq!(with(whatsapp(), |lead| lead.meets_condition = false), skips("condition"));
        assert_eq!(with(whatsapp(), |lead| lead.is_reachable = false), skips("no_phone"));
        assert_eq!(with(whatsapp(), |lead| lead.has_refused = true), skips("no_consent"));
        let email = || facts(json!({"kind": "email", "subject": "a", "body": "b"}));
        assert_eq!(with(email(), |lead| lead.has_email = false), skips("no_email"));
        assert_eq!(with(email(), |lead| lead.is_blocked = true), Decision::Act);
    }

    #[test]
    fn a_day_has_its_most_where_the_lead_is() {
        let sent = |when: &str, facts: Facts| judge(&Facts { sent: vec![at(when)], ..facts }, at(NOON));
        let tomorrow = Decision::PutOff { until: at("2026-11-24T09:00"), reason: "max_per_day" };
        assert_eq!(sent("2026-11-23T00:00", whatsapp()), tomorrow);
        assert_eq!(sent("2026-11-22T23:59", whatsapp()), Decision::Act);
        assert_eq!(sent("2026-11-23T00:00", facts(json!({"kind": "task"}))), Decision::Act, "tasks are nobody's burden");
        assert_eq!(sent("2026-11-23T00:00", Facts { max_per_day: 2, ..whatsapp() }), Decision::Act);
    }
}
