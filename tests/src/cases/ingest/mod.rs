//! What holds for whoever brings messages: each test goes through all adapters.

pub mod adapters;
mod history;
mod mixed;
mod one_client;

use crate::Case;

/// Numbers in an order that looks like none and is always the same.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or_default() % most
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }

    /// Parts of this, each of so many at most.
    pub fn parts<T>(&mut self, mut items: Vec<T>, most: usize) -> Vec<Vec<T>> {
        let mut parts = Vec::new();
        while !items.is_empty() {
            let rest = items.split_off(items.len().min(1 + self.below(most)));
            parts.push(std::mem::replace(&mut items, rest));
        }
        parts
    }
}

pub fn cases() -> Vec<(&'static str, Case)> {
    cases! {
        history::{
            a_history_is_kept_in_order_and_nobody_is_called,
            chunks_come_in_any_order_and_twice_beside_what_is_said_now,
            what_overlaps_with_today_is_of_todays_conversation,
            ten_thousand_messages_are_stored_once,
            files_and_reactions_of_the_past_are_what_they_were,
            a_declined_history_is_told_to_admins,
            people_of_a_history_are_called_as_in_the_address_book,
            a_history_is_its_own_companys,
            one_webhook_may_bring_both,
        };
        mixed::{
            batches_of_many_clients_are_all_stored_and_none_waits_for_itself,
            webhooks_that_name_the_same_clients_in_opposite_order_are_all_stored,
        };
        one_client::{
            who_writes_on_several_channels_is_one_client,
            a_hidden_id_is_joined_by_the_number,
        };
    }
}
