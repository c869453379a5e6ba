//! What two sides make of a record that both may change, by what they last said alike. Pure.

use super::values::{Values, is_two_way};

/// Both sides have changed a field, each to something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clash {
    pub field: String,
    pub agreed: Option<String>,
    pub ours: Option<String>,
    pub theirs: Option<String>,
}

/// What follows of a look at both sides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// What they have changed, for us to take.
    pub taken: Values,
    /// What people are asked about.
    pub clashes: Vec<Clash>,
    /// What both say alike from now on.
    pub agreed: Values,
}

/// Looks at what they say of a record. What they do not say is as it was.
#[must_use]
pub fn merge(agreed: &Values, ours: &Values, theirs: &Values) -> Merged {
    let mut merged = Merged { agreed: agreed.clone(), ..Merged::default() };
    for (field, their) in theirs.iter().filter(|(field, _)| is_two_way(field)) {
        let (base, our) = (agreed.get(field).cloned().flatten(), ours.get(field).cloned().flatten());
        if our == *their {
            merged.agreed.insert(field.clone(), our);
        } else if *their == base {
            // Ours is told.
        } else if our == base {
            merged.taken.insert(field.clone(), their.clone());
            merged.agreed.insert(field.clone(), their.clone());
        } else {
            merged.clashes.push(Clash { field: field.clone(), agreed: base, ours: our, theirs: their.clone() });
        }
    }
    merged
}

/// What of a lead is to be told: what differs from what both last said, but for what people are asked about.
#[must_use]
pub fn news(agreed: &Values, ours: &Values, asked_about: &[String]) -> Values {
    let is_news = |(field, value): &(&String, &Option<String>)| {
        agreed.get(*field).cloned().flatten() != **value && !asked_about.contains(field)
    };
    ours.iter().filter(is_news).map(|(field, value)| (field.clone(), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn values(pairs: &[(&str, &str)]) -> Values {
        pairs
            .iter()
            .map(|(field, value)| ((*field).to_owned(), Some((*value).to_owned()).filter(|text| !text.is_empty())))
            .collect()
    }

    #[test]
    fn who_differs_from_what_was_agreed_has_changed_it() {
        let agreed = values(&[("name", "Maria"), ("email", "m@x.test"), ("phone", "1"), ("company", "A")]);
        let ours = values(&[("name", "Maria S."), ("email", "m@x.test"), ("phone", "1"), ("company", "B")]);
        let theirs = values(&[("name", "Maria"), ("email", ""), ("phone", "1"), ("company", "C")]);
        let merged = merge(&agreed, &ours, &theirs);
        assert_eq!(merged.taken, values(&[("email", "")]));
        let clash = |text: &str| Some(text.to_owned());
        assert_eq!(merged.clashes, [Clash { field: "company".into(), agreed: clash("A"), ours: clash("B"), theirs: clash("C") }]);
        assert_eq!(news(&merged.agreed, &ours, &["company".into()]), values(&[("name", "Maria S."), ("email", "m@x.test")]));
    }

    #[test]
    fn two_who_meet_for_the_first_time_fill_each_other_up() {
        let (ours, theirs) =
            (values(&[("name", "Maria"), ("phone", "")]), values(&[("name", "Maria"), ("phone", "1"), ("company", "")]));
        let merged = merge(&Values::new(), &ours, &theirs);
        assert_eq!((merged.taken, merged.clashes.len()), (values(&[("phone", "1")]), 0));
    }

    fn some() -> impl Strategy<Value = Values> {
        prop::collection::btree_map(
            prop::sample::select(vec!["name", "email", "phone"]).prop_map(str::to_owned),
            prop::option::of("[ab]"),
            3,
        )
    }

    proptest! {
        #[test]
        fn what_was_told_is_no_news_when_it_comes_back(agreed in some(), ours in some()) {
            // Told all of it, they answer the same.
            let mut said = agreed;
            said.extend(news(&said, &ours, &[]));
            let merged = merge(&said, &ours, &ours);
            prop_assert!(merged.taken.is_empty() && merged.clashes.is_empty());
            prop_assert!(news(&merged.agreed, &ours, &[]).is_empty());
        }

        #[test]
        fn what_was_taken_is_not_told_back(agreed in some(), ours in some(), theirs in some()) {
            let merged = merge(&agreed, &ours, &theirs);
            let mut after = ours;
            after.extend(merged.taken.clone());
            let asked: Vec<String> = merged.clashes.iter().map(|clash| clash.field.clone()).collect();
            let told = news(&merged.agreed, &after, &asked);
            prop_assert!(merged.taken.keys().all(|field| !told.contains_key(field)));
        }
    }
}
