//! Which HTTP API serves a path: the one table of first segments.
//!
//! API Gateway matches a route without the key of the mapping that chose its API. Two segments of one API would give each other's routes
//! away (`/leads/{id}` and `/goals/{id}` are both `/{id}` there), so each segment named here has an API of its own, and the API that serves
//! every other segment is chosen by keys that name none.

use crate::names::capitalised;

/// A stack of functions: those whose paths begin with its segments.
#[derive(Debug, PartialEq, Eq)]
pub struct Area {
    /// Also the name of its stack's file.
    pub name: &'static str,
    /// First segments, or the first segments together where one is shared. Empty: every segment that no area names.
    segments: &'static [&'static str],
    /// Requests a second to one API, and how many at once.
    pub throttle: (u32, u32),
    pub visitors: Visitors,
}

/// Whose browsers call an API.
#[derive(Debug, PartialEq, Eq)]
pub enum Visitors {
    /// Front ends of signed-in people.
    People,
    /// The widget, on any site.
    Anyone,
    /// No browser.
    Machines,
}

pub const AREAS: [Area; 5] = [
    Area { name: "app", segments: &[], throttle: (500, 1000), visitors: Visitors::People },
    Area {
        name: "sales",
        segments: &[
            "badges",
            "campaigns",
            "coins",
            "escalations",
            "followup",
            "followups",
            "gamification",
            "goals",
            "lead-fields",
            "lead-merges",
            "lead-scoring",
            "leads",
            "me",
            "meetings",
            "mentees",
            "mentorados",
            "pipelines",
            "redemptions",
            "rewards",
            "sla",
            "tasks",
        ],
        throttle: (500, 1000),
        visitors: Visitors::People,
    },
    Area {
        name: "team",
        segments: &[
            "api-keys",
            "audit",
            "calls",
            "channels",
            "chat",
            "dashboard",
            "direct-messages",
            "metrics",
            "notifications",
            "presence",
            "privacy",
            "productivity",
            "reports",
            "webhook-deliveries",
            "webhook-subscriptions",
        ],
        throttle: (500, 1000),
        visitors: Visitors::People,
    },
    // Its own throttle: a flood of strangers must not starve who is signed in.
    Area { name: "widget", segments: &["widget"], throttle: (100, 200), visitors: Visitors::Anyone },
    Area { name: "hooks", segments: &["webhooks", "whatsapp/webhooks"], throttle: (1000, 2000), visitors: Visitors::Machines },
];

/// One HTTP API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Api {
    pub area: &'static Area,
    /// What its paths begin with and its routes lack; empty for the API of all other segments.
    segment: &'static str,
}

impl Api {
    /// The API that serves `path`.
    pub fn of(path: &str) -> Self {
        let named = AREAS.iter().flat_map(|area| area.segments.iter().map(move |segment| Self { area, segment }));
        let serving = named.filter(|api| api.inner(path).is_some()).max_by_key(|api| api.segment.len());
        serving.unwrap_or(Self { area: &AREAS[0], segment: "" })
    }

    pub fn logical_id(self) -> String {
        let name = if self.segment.is_empty() { self.area.name } else { self.segment };
        name.split(['-', '/']).map(capitalised).collect::<String>() + "Api"
    }

    /// A route's path as API Gateway matches it.
    pub fn route(self, path: &str) -> &str {
        self.inner(path).filter(|inner| !inner.is_empty()).unwrap_or("/")
    }

    fn inner(self, path: &str) -> Option<&str> {
        if self.segment.is_empty() {
            return Some(path);
        }
        path.strip_prefix('/')?.strip_prefix(self.segment).filter(|inner| inner.is_empty() || inner.starts_with('/'))
    }

    /// The keys of its mappings.
    pub fn keys(self) -> [String; 3] {
        ["", "api", "api/v1"].map(|prefix| [prefix, self.segment].join("/").trim_matches('/').to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_segment_tells_the_api() {
        let cases = [
            ("/users/{id}", "AppApi", "/users/{id}"),
            ("/leads", "LeadsApi", "/"),
            ("/leads/{id}", "LeadsApi", "/{id}"),
            ("/lead-fields/{id}", "LeadFieldsApi", "/{id}"),
            ("/widget/config", "WidgetApi", "/config"),
            ("/widgets", "AppApi", "/widgets"),
            ("/webhooks/whatsapp", "WebhooksApi", "/whatsapp"),
            ("/whatsapp/webhooks/evolution/{token}", "WhatsappWebhooksApi", "/evolution/{token}"),
            ("/whatsapp/messages/{id}", "AppApi", "/whatsapp/messages/{id}"),
        ];
        for (path, id, route) in cases {
            let api = Api::of(path);
            assert_eq!((api.logical_id().as_str(), api.route(path)), (id, route), "{path}");
        }
    }

    #[test]
    fn mappings_lead_to_it_below_every_prefix() {
        assert_eq!(Api::of("/users").keys(), ["", "api", "api/v1"]);
        assert_eq!(Api::of("/leads").keys(), ["leads", "api/leads", "api/v1/leads"]);
        assert_eq!(Api::of("/whatsapp/webhooks/x").keys()[2], "api/v1/whatsapp/webhooks");
    }
}
