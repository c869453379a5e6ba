//! Months one after the other, as charts want them: those that nobody has told of are null.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::Serialize;

use shared::{
    money::{Money, SignedMoney},
    percent::Percent,
};

use crate::{evolution::Evolution, month::Month};

/// One value of each for every month.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct EvolutionSeries {
    pub months: Vec<Month>,
    pub revenue: Vec<Option<Money>>,
    pub profit: Vec<Option<SignedMoney>>,
    pub team: Vec<Option<i32>>,
    pub leads: Vec<Option<i32>>,
    pub sales: Vec<Option<i32>>,
    /// Against the month before.
    pub growth: Vec<Option<Percent>>,
}

impl EvolutionSeries {
    /// So many months, of which `last` is the last.
    #[must_use]
    pub fn of(told: &[Evolution], last: Month, count: i32) -> Self {
        let told: HashMap<Month, &Evolution> = told.iter().map(|one| (one.row.of_month, one)).collect();
        let mut series = Self::default();
        for month in last.plus(1 - count).to(last) {
            let one = told.get(&month);
            let row = one.map(|one| &one.row);
            series.months.push(month);
            series.revenue.push(row.map(|row| row.revenue));
            series.profit.push(row.and_then(|row| row.profit));
            series.team.push(row.and_then(|row| row.team));
            series.leads.push(row.and_then(|row| row.leads));
            series.sales.push(row.and_then(|row| row.sales));
            series.growth.push(one.and_then(|one| one.growth.month));
        }
        series
    }
}
