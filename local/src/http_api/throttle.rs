//! Token bucket: so many requests per second, and so many at once.

use std::{
    sync::{Mutex, PoisonError},
    time::Instant,
};

use crate::template::ThrottleDefinition;

/// The throttle of one API.
pub(super) struct Throttle {
    definition: ThrottleDefinition,
    /// Tokens left, and when that was.
    state: Mutex<(f64, Instant)>,
}

impl Throttle {
    pub fn new(definition: ThrottleDefinition) -> Self {
        Self { definition, state: Mutex::new((definition.burst, Instant::now())) }
    }

    /// Takes a token; `false` when there is none.
    pub fn admit(&self, now: Instant) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (tokens, at) = *state;
        let earned = now.duration_since(at).as_secs_f64() * self.definition.rate;
        let tokens = (tokens + earned).min(self.definition.burst);
        let admitted = tokens >= 1.0;
        *state = (if admitted { tokens - 1.0 } else { tokens }, now.max(at));
        admitted
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_burst_is_admitted_and_then_the_rate() {
        let throttle = Throttle::new(ThrottleDefinition { rate: 10.0, burst: 2.0 });
        let start = Instant::now();
        assert!(throttle.admit(start));
        assert!(throttle.admit(start));
        assert!(!throttle.admit(start));
        assert!(throttle.admit(start + Duration::from_millis(110)));
        assert!(!throttle.admit(start + Duration::from_millis(120)));
    }
}
