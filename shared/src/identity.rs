//! Who somebody is in their active company, and what they may do in it.

use std::{borrow::Cow, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use uuid::Uuid;

use crate::closed_set;

closed_set! {
    /// Languages that front ends and mails are in.
    pub Locale { Portuguese = "pt-BR", English = "en" }
}

/// What a member may do in a company.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Admin,
    Supervisor,
    Agent,
    Student,
}

impl Role {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Supervisor => "supervisor",
            Self::Agent => "agent",
            Self::Student => "student",
        }
    }

    #[must_use]
    pub fn is_staff(self) -> bool {
        self != Self::Student
    }

    /// Whether they do for everybody what others do for themselves alone; the policies `leaders` ask the same.
    #[must_use]
    pub fn is_leader(self) -> bool {
        matches!(self, Self::Supervisor | Self::Admin)
    }
}

/// Their own names, and what front ends call them.
const ROLE_NAMES: [(&str, Role); 8] = [
    ("admin", Role::Admin),
    ("supervisor", Role::Supervisor),
    ("agent", Role::Agent),
    ("student", Role::Student),
    ("attendant", Role::Agent),
    ("operator", Role::Agent),
    ("equipe", Role::Agent),
    ("aluno", Role::Student),
];

/// As rows, bodies and query strings have it: by any of its names, in any case.
impl FromStr for Role {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = ROLE_NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
        known.map(|(_, role)| *role).ok_or("a role is admin, supervisor, agent or student")
    }
}

crate::read_from_text!(Role);

impl<'de> Deserialize<'de> for Role {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(|_| D::Error::unknown_variant(&text, &["admin", "supervisor", "agent", "student"]))
    }
}

/// The signed-in caller, in their active company.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Identity {
    pub user_id: Uuid,
    pub company_id: Uuid,
    pub role: Role,
    pub session_id: Uuid,
}

/// What a route asks of its caller's second factor, where they have one or their company wants them to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// To have one where the company asks for it.
    #[default]
    Standard,
    /// To have given it in this session within ten minutes.
    SteppedUp,
    /// Nothing: they may be about to set it up.
    SettingUp,
}

impl Standing {
    /// As `app.enter` knows it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::SteppedUp => "stepped_up",
            Self::SettingUp => "setting_up",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Role;

    #[test]
    fn roles_have_other_names_on_input_only() {
        let known = [
            ("agent", ["agent", "AGENT", "Attendant", "operator", "Equipe"].as_slice()),
            ("student", &["student", "Aluno", "ALUNO"]),
            ("supervisor", &["supervisor", "Supervisor"]),
            ("admin", &["admin", "ADMIN"]),
        ];
        for (role, names) in known {
            for name in names {
                assert_eq!(name.parse::<Role>().unwrap().as_str(), role);
                let read: Role = serde_json::from_value(serde_json::json!(name)).unwrap();
                assert_eq!(serde_json::to_value(read).unwrap(), role, "{name}");
            }
        }
        for name in ["", "agents", "owner", "agent ", "adm\u{131}n"] {
            assert!(name.parse::<Role>().is_err() && serde_json::from_value::<Role>(serde_json::json!(name)).is_err(), "{name}");
        }
    }
}
