//! How often a caller may do something, and what a check that runs beside the work says of it.

use std::{
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
    time::Duration,
};

use tokio::sync::watch;

/// How often a caller may use a route: `most` requests in each `window`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    pub most: u32,
    pub window: Duration,
}

/// What an address is counted as: of IPv6, the 64 bits that one connection has all the rest of; of IPv4 that comes as IPv6, what it is.
#[must_use]
pub fn range_of(address: &str) -> String {
    match address.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(IpAddr::V6(address)) => format!("{}/64", Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
        Ok(IpAddr::V4(address)) => address.to_string(),
        Err(_) => address.to_owned(),
    }
}

/// The answer of a check that runs beside the work.
#[derive(Clone)]
pub(crate) struct Verdict(Arc<watch::Receiver<Check>>);

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Check {
    Pending,
    Within,
    /// To be tried again after these seconds.
    Over(u32),
}

impl Verdict {
    /// Not known yet: it is what is sent.
    pub(crate) fn pending() -> (watch::Sender<Check>, Self) {
        let (sender, receiver) = watch::channel(Check::Pending);
        (sender, Self(Arc::new(receiver)))
    }

    /// Seconds to wait when over the limit. A check that failed lets the request through.
    pub(crate) async fn wait(&self) -> Option<u32> {
        let mut receiver = (*self.0).clone();
        let check = receiver.wait_for(|check| *check != Check::Pending).await.ok().map(|check| *check);
        match check {
            Some(Check::Over(seconds)) => Some(seconds),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::range_of;

    #[test]
    fn an_address_of_ipv6_counts_as_its_network() {
        let same = ["2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:0DB8:0001:0002:3::4"];
        assert!(same.iter().all(|address| range_of(address) == "2001:db8:1:2::/64"));
        assert_ne!(range_of("2001:db8:1:3::1"), range_of("2001:db8:1:2::1"));
        assert_eq!(range_of("::ffff:203.0.113.7"), range_of("203.0.113.7"));
        assert_ne!(range_of("203.0.113.7"), range_of("203.0.113.8"));
        assert_eq!(range_of("unknown"), "unknown");
    }
}
