//! What a request says of the device it came from: enough for its owner to know it again.

use std::net::IpAddr;

use shared::{closed_set, prelude::*};

closed_set! {
    /// What somebody holds in their hands.
    pub DeviceKind { Computer = "computer", Phone = "phone", Tablet = "tablet", Program = "program", Unknown = "unknown" }
}

/// A device by its user agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Device {
    pub kind: DeviceKind,
    /// Such as `Firefox`.
    pub browser: Option<String>,
    /// Such as `Windows`.
    pub system: Option<String>,
}

/// Names as user agents write them, with ours. The first that is found counts: nearly all call themselves Safari, most of them Chrome too.
const BROWSERS: [(&str, &str); 14] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("YaBrowser/", "Yandex"),
    ("Vivaldi/", "Vivaldi"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Electron/", "Electron"),
    ("Chrome/", "Chrome"),
    ("Version/", "Safari"),
    ("okhttp/", "okhttp"),
    ("Dart/", "Dart"),
    ("curl/", "curl"),
];

const SYSTEMS: [(&str, &str); 8] = [
    ("iPhone", "iOS"),
    ("iPad", "iPadOS"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Macintosh", "macOS"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
];

impl Device {
    /// By the header as it was sent.
    #[must_use]
    pub fn of(user_agent: Option<&str>) -> Self {
        let agent = user_agent.unwrap_or_default();
        let find =
            |names: &[(&str, &str)]| names.iter().find(|(name, _)| agent.contains(name)).map(|(_, ours)| (*ours).to_owned());
        let (browser, system) = (find(&BROWSERS), find(&SYSTEMS));
        let kind = match system.as_deref() {
            Some("iOS") => DeviceKind::Phone,
            // Apps say no browser's words.
            Some("Android") if agent.contains("Mobile") || !agent.starts_with("Mozilla") => DeviceKind::Phone,
            Some("iPadOS" | "Android") => DeviceKind::Tablet,
            Some(_) => DeviceKind::Computer,
            None if browser.as_deref().is_some_and(|browser| ["okhttp", "Dart", "curl"].contains(&browser)) => {
                DeviceKind::Program
            }
            None => DeviceKind::Unknown,
        };
        Self { kind, browser, system }
    }

    /// In one line, such as `Firefox, Windows`; empty when nothing is known.
    #[must_use]
    pub fn name(&self) -> String {
        let parts: Vec<&str> = [&self.browser, &self.system].into_iter().flatten().map(String::as_str).collect();
        parts.join(", ")
    }
}

/// The network that an address is in, as devices are known by: providers hand out another address of it from day to day.
#[must_use]
pub fn network_of(ip: &str) -> String {
    match ip.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(IpAddr::V4(address)) => {
            let [first, second, third, _] = address.octets();
            format!("{first}.{second}.{third}.0/24")
        }
        Ok(IpAddr::V6(address)) => {
            let [first, second, third, ..] = address.segments();
            format!("{first:x}:{second:x}:{third:x}::/48")
        }
        Err(_) => ip.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn devices_are_known_by_what_they_call_themselves() {
        let cases = [
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36 Edg/143.0",
                DeviceKind::Computer,
                "Edge, Windows",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.1 Safari/605.1.15",
                DeviceKind::Computer,
                "Safari, macOS",
            ),
            ("Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0", DeviceKind::Computer, "Firefox, Linux"),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/143.0 Mobile/15E148 Safari/604.1",
                DeviceKind::Phone,
                "Chrome, iOS",
            ),
            (
                "Mozilla/5.0 (Linux; Android 16; SM-S928B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/29.0 Chrome/136.0 Mobile Safari/537.36",
                DeviceKind::Phone,
                "Samsung Internet, Android",
            ),
            (
                "Mozilla/5.0 (Linux; Android 15; SM-X710) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36",
                DeviceKind::Tablet,
                "Chrome, Android",
            ),
            ("curl/8.17.0", DeviceKind::Program, "curl"),
            ("Mozilla/5.0", DeviceKind::Unknown, ""),
            ("", DeviceKind::Unknown, ""),
        ];
        for (agent, kind, name) in cases {
            let device = Device::of(Some(agent));
            assert_eq!((device.kind, device.name().as_str()), (kind, name), "{agent}");
        }
        assert_eq!(Device::of(None), Device::of(Some("")));
    }

    #[test]
    fn networks_are_wide_enough_for_an_address_that_changes() {
        assert_eq!(network_of("203.0.113.7"), "203.0.113.0/24");
        assert_eq!(network_of("::ffff:203.0.113.9"), "203.0.113.0/24");
        assert_eq!(network_of("2001:db8:1:2::3"), "2001:db8:1::/48");
        assert_eq!(network_of("2001:db8:1:ffff::4"), "2001:db8:1::/48");
        assert_eq!(network_of(""), "");
    }

    proptest! {
        #[test]
        fn any_text_is_a_device(agent in ".{0,300}", ip in ".{0,60}") {
            let _ = (Device::of(Some(&agent)).name(), network_of(&ip));
        }
    }
}
