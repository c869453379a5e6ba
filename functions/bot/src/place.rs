//! Where a conversation is held: what a company, its hours and its departments say of it. The same for a real one and for one that is played.

use jiff::tz::TimeZone;
use shared::{
    calendar::{Calendar, Written},
    prelude::*,
};
use tokio_postgres::types::Json as Jsonb;

use crate::{config::Config, world::World};

/// The columns of `Place`, of a relation `companies`, by the hours of a department.
#[macro_export]
macro_rules! place_columns {
    ($department:literal) => {
        concat!(
            "companies.name as company_name, companies.time_zone, app.calendar_of(",
            $department,
            ") as calendar,
           (select coalesce(jsonb_object_agg(key, value), '{}') from bot_config where is_active) as config,
           (select coalesce(jsonb_agg(jsonb_build_array(id, name) order by name, id), '[]')
              from departments where deleted_at is null) as departments"
        )
    };
}

#[derive(Clone, Debug, FromRow)]
pub struct Place {
    company_name: String,
    time_zone: String,
    calendar: Option<Value>,
    config: Value,
    #[from_row(from = "Jsonb<Vec<(Uuid, String)>>")]
    departments: Departments,
}

/// Those that conversations may go to.
#[derive(Clone, Debug)]
struct Departments(Vec<(Uuid, String)>);

impl From<Jsonb<Vec<(Uuid, String)>>> for Departments {
    fn from(Jsonb(departments): Jsonb<Vec<(Uuid, String)>>) -> Self {
        Self(departments)
    }
}

impl Place {
    #[must_use]
    pub fn config(&self) -> Config {
        Config::read(self.config.as_object().unwrap_or(&Map::new()))
    }

    /// What it says of a conversation at a time. Whose that is, is said by others.
    #[must_use]
    pub fn world(&self, now: Timestamp) -> World {
        let calendar = self.calendar.clone().and_then(Written::read).map(Calendar::from);
        let zone = TimeZone::get(&self.time_zone).unwrap_or(TimeZone::UTC);
        World {
            company_name: self.company_name.clone(),
            now,
            today: now.to_zoned(zone).date(),
            // Who has said no hours is always there.
            is_open: calendar.as_ref().is_none_or(|calendar| calendar.is_open_at(now)),
            opens_at: calendar.and_then(|calendar| calendar.next_open_at(now).ok()),
            departments: self.departments.0.clone(),
            ..World::default()
        }
    }
}
