//! Where a registration leads: to a company of one's own, into one that exists, or into the stage's default one.

use shared::environment;

use crate::company_slug;

/// The company a person is to be a member of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// The name of the company, where the person may be the one who founds it.
    pub name: Option<String>,
    /// The slug of a new company, to be varied while it is taken.
    pub new_slug: String,
    /// The slug of the company to join. With a name too, whoever comes first founds it.
    pub existing_slug: Option<String>,
}

impl Destination {
    /// By what the person named, if anything; `person` is their own name.
    #[must_use]
    pub fn of(company_name: Option<&str>, company_slug: Option<&str>, default_company: Option<&str>, person: &str) -> Self {
        match (company_name, company_slug, default_company) {
            (None, Some(slug), _) => Self { name: None, new_slug: String::new(), existing_slug: Some(slug.to_lowercase()) },
            (None, None, Some(name)) => {
                Self { name: Some(name.to_owned()), new_slug: String::new(), existing_slug: Some(company_slug::from_name(name)) }
            }
            (name, ..) => {
                let name = name.unwrap_or(person);
                Self { name: Some(name.to_owned()), new_slug: company_slug::from_name(name), existing_slug: None }
            }
        }
    }

    /// The same with another slug for a new company.
    #[must_use]
    pub fn with_another_slug(&self) -> Self {
        Self { new_slug: company_slug::with_random_ending(&self.new_slug), ..self.clone() }
    }
}

/// The name of the company that who names none joins, if the stage has one.
#[must_use]
pub fn default_company() -> Option<String> {
    environment::variable_or_nothing("DEFAULT_COMPANY")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn destination(name: Option<&str>, new_slug: &str, existing_slug: Option<&str>) -> Destination {
        Destination { name: name.map(Into::into), new_slug: new_slug.into(), existing_slug: existing_slug.map(Into::into) }
    }

    #[test]
    fn what_is_named_comes_first() {
        let named = destination(Some("Curso & Cia."), "curso-cia", None);
        let joined = destination(None, "", Some("escola-horizonte"));
        for default in [None, Some("Escola Padrão")] {
            assert_eq!(Destination::of(Some("Curso & Cia."), None, default, "Ana Souza"), named);
            assert_eq!(Destination::of(None, Some("Escola-Horizonte"), default, "Ana Souza"), joined);
        }
    }

    #[test]
    fn who_names_none_joins_the_default_or_has_their_own() {
        let joined = destination(Some("Escola Padrão"), "", Some("escola-padrao"));
        assert_eq!(Destination::of(None, None, Some("Escola Padrão"), "Ana Souza"), joined);
        assert_eq!(Destination::of(None, None, None, "Ana Souza"), destination(Some("Ana Souza"), "ana-souza", None));
    }
}
