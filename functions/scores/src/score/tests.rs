use proptest::prelude::*;

use super::*;
use crate::rules::Decay;
use shared::money::Money;

const NOW: Timestamp = Timestamp::constant(1_795_996_800, 0);

fn days_ago(days: i64) -> Timestamp {
    Timestamp::from_second(NOW.as_second() - days * 86_400).unwrap()
}

/// Somebody of whom nothing is known but when they came.
fn nobody(last_contact_days: i64) -> Facts {
    Facts {
        id: Uuid::nil(),
        fields: json!({}),
        potential_value: None,
        budget_confirmed: None,
        budget_amount: None,
        authority_level: None,
        need_level: None,
        timeline_days: None,
        contacted_at: days_ago(last_contact_days),
        replied_at: None,
        has_replied_quickly: false,
        meetings_scheduled: 0,
        meetings_held: 0,
        proposals: 0,
        recent_interactions: 0,
    }
}

/// 25 + 15 + 25 + 15.
fn qualified(last_contact_days: i64) -> Facts {
    Facts {
        potential_value: Some(Money::cents(450_000)),
        budget_confirmed: Some(true),
        budget_amount: Some(Money::cents(500_000)),
        authority_level: Some(AuthorityLevel::Influencer),
        need_level: Some(NeedLevel::High),
        timeline_days: Some(60),
        ..nobody(last_contact_days)
    }
}

fn reached() -> Value {
    json!({"email": "a@exemplo.com.br", "phone": "5511999990000"})
}

fn known() -> Value {
    json!({"email": "a@exemplo.com.br", "phone": "5511999990000", "company": "Escola", "job_title": "Diretora"})
}

fn made(facts: &Facts) -> (i32, i32, Temperature) {
    let Figures { qualification, score, temperature, .. } = figures(&Scoring::default(), facts, NOW);
    (qualification, score, temperature)
}

#[test]
fn the_four_leads_of_the_table() {
    let a = Facts {
        fields: reached(),
        replied_at: Some(days_ago(2)),
        has_replied_quickly: true,
        recent_interactions: 3,
        ..qualified(2)
    };
    assert_eq!(made(&a), (80, 72, Temperature::Hot));
    let b = Facts { fields: reached(), recent_interactions: 1, ..qualified(20) };
    assert_eq!(made(&b), (80, 38, Temperature::Cold));
    // 15 + 25 + 15 + 0: half of 55 is 28, half up.
    let c = Facts {
        fields: known(),
        budget_amount: Some(Money::cents(1)),
        authority_level: Some(AuthorityLevel::DecisionMaker),
        need_level: Some(NeedLevel::Medium),
        ..nobody(14)
    };
    assert_eq!(made(&c), (55, 38, Temperature::Cold));
    let d = Facts {
        fields: known(),
        authority_level: Some(AuthorityLevel::DecisionMaker),
        timeline_days: Some(30),
        replied_at: Some(days_ago(1)),
        has_replied_quickly: true,
        meetings_held: 1,
        proposals: 1,
        recent_interactions: 5,
        ..qualified(1)
    };
    assert_eq!(made(&d), (100, 100, Temperature::Hot));
}

#[test]
fn a_qualification_is_four_times_25() {
    let of = |facts: &Facts| qualification(facts).map(|(.., points)| points);
    assert_eq!(of(&qualified(0)), [25, 15, 25, 15]);
    let budget = |confirmed, amount| Facts { budget_confirmed: confirmed, budget_amount: amount, ..qualified(0) };
    for (facts, points) in [
        (budget(Some(true), Some(Money::cents(450_000))), 25),
        (budget(Some(true), Some(Money::cents(449_999))), 15),
        (budget(Some(true), None), 15),
        (budget(Some(false), Some(Money::cents(500_000))), 15),
        (budget(None, None), 0),
        (budget(Some(false), None), 0),
    ] {
        assert_eq!(of(&facts)[0], points);
    }
    for (days, points) in [(Some(-3), 25), (Some(30), 25), (Some(31), 15), (Some(90), 15), (Some(180), 5), (Some(181), 0), (None, 0)] {
        assert_eq!(of(&Facts { timeline_days: days, ..nobody(0) })[3], points, "{days:?}");
    }
}

#[test]
fn one_of_the_meetings_counts_and_the_greatest_decay() {
    let points = |facts: &Facts, rule: &str| -> i32 {
        let made = figures(&Scoring::default(), facts, NOW);
        made.evidence.iter().filter(|evidence| evidence.rule == rule).map(|evidence| evidence.points).sum()
    };
    let both = Facts { meetings_held: 2, meetings_scheduled: 3, ..nobody(0) };
    assert_eq!((points(&both, "meeting_held"), points(&both, "meeting_scheduled")), (10, 0));
    assert_eq!(points(&Facts { meetings_scheduled: 3, ..nobody(0) }, "meeting_scheduled"), 5);
    for (days, taken) in [(14, 0), (15, -10), (30, -10), (31, -20), (60, -20), (61, -30), (900, -30)] {
        assert_eq!(points(&nobody(days), "decay"), taken, "{days}");
    }
    let seven = Facts { replied_at: Some(days_ago(7)), ..nobody(7) };
    assert_eq!(points(&seven, "recent_reply"), 0);
}

#[test]
fn a_rule_that_divides_by_nothing_says_nothing() {
    let own = |per: Value| -> Figures {
        let rule = json!({"label": "Por aluno", "field": "potential_value", "per": "custom_fields.alunos", "test": "above", "value": "100",
                          "points": 30});
        let rules = Scoring { custom: vec![serde_json::from_value(rule).unwrap()], ..Scoring::default() };
        let fields = json!({"potential_value": 1000.0, "custom_fields": {"alunos": per}});
        figures(&rules, &Facts { fields, ..nobody(0) }, NOW)
    };
    assert_eq!((own(json!(5)).score, own(json!(5)).broken.len()), (30, 0));
    assert_eq!((own(json!(10)).score, own(json!(50)).score), (0, 0));
    for per in [json!(0), json!("muitos"), json!(null)] {
        assert_eq!(own(per.clone()).broken, ["Por aluno"], "{per}");
    }
}

fn facts_of_anybody() -> impl Strategy<Value = Facts> {
    let done = (0_i64..4, 0_i64..4, 0_i64..4, 0_i64..200);
    let bant = (any::<Option<bool>>(), proptest::option::of(0_u64..1_000_000), proptest::option::of(0_u64..1_000_000), -400_i32..4000);
    (0_i64..4000, proptest::option::of(0_i64..400), any::<bool>(), done, bant, 0_usize..4, 0_usize..4).prop_map(
        |(contact, replied, has_replied_quickly, done, bant, authority, need)| Facts {
            replied_at: replied.map(days_ago),
            has_replied_quickly,
            meetings_scheduled: done.0,
            meetings_held: done.1,
            proposals: done.2,
            recent_interactions: done.3,
            budget_confirmed: bant.0,
            budget_amount: bant.1.map(Money::cents),
            potential_value: bant.2.map(Money::cents),
            timeline_days: Some(bant.3),
            authority_level: [None, Some(AuthorityLevel::User), Some(AuthorityLevel::Influencer), Some(AuthorityLevel::DecisionMaker)][authority],
            need_level: [None, Some(NeedLevel::Low), Some(NeedLevel::Medium), Some(NeedLevel::High)][need],
            ..nobody(contact)
        },
    )
}

proptest! {
    #[test]
    fn the_evidence_adds_up_to_the_score(facts in facts_of_anybody()) {
        let made = figures(&Scoring::default(), &facts, NOW);
        let sum: i32 = made.evidence.iter().map(|evidence| evidence.points).sum();
        prop_assert_eq!(made.score, sum.clamp(0, 100));
        prop_assert!((0..=100).contains(&made.qualification));
    }

    #[test]
    fn time_alone_makes_no_lead_hotter(facts in facts_of_anybody(), days in 0_i64..100) {
        let facts = Facts { timeline_days: None, ..facts };
        let later = Timestamp::from_second(NOW.as_second() + days * 86_400).unwrap();
        prop_assert!(figures(&Scoring::default(), &facts, later).score <= figures(&Scoring::default(), &facts, NOW).score);
    }

    #[test]
    fn what_is_taken_away_grows_with_the_days(days in 0_u16..4000, more in 0_u16..400) {
        let rules = Scoring { decay: vec![Decay { days, points: 10 }, Decay { days: days + more, points: 20 }], ..Scoring::default() };
        let facts = Facts { fields: known(), ..qualified(0) };
        let at = |days: i64| figures(&rules, &Facts { contacted_at: days_ago(days), ..facts.clone() }, NOW).score;
        prop_assert!(at(i64::from(days)) >= at(i64::from(days) + 1));
        prop_assert!(at(i64::from(days + more)) >= at(i64::from(days + more) + 1));
    }
}
