//! Who takes part. All addresses are from the ranges kept for documentation (RFC 5737, RFC 3849).

/// The intruder's address.
pub(super) const ATTACKER: &str = "203.0.113.66";
/// The account that the intruder takes over.
pub(super) const VICTIM: &str = "deploy";

pub(super) const GATEWAY: (&str, &str) = ("gw-01", "192.0.2.1");
pub(super) const ADMIN: (&str, &str) = ("admin-01", "192.0.2.10");
pub(super) const WEB: (&str, &str) = ("web-01", "192.0.2.20");
pub(super) const DATABASE: (&str, &str) = ("db-01", "192.0.2.30");
pub(super) const FILES: (&str, &str) = ("files-01", "192.0.2.40");
/// The machines whose logs are told.
pub(super) const HOSTS: [(&str, &str); 5] = [GATEWAY, ADMIN, WEB, DATABASE, FILES];
pub(super) const RESOLVER: &str = "192.0.2.53";

/// A person who works here: name, number, address and key.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Person {
    pub name: &'static str,
    pub uid: u32,
    pub address: &'static str,
    pub key: &'static str,
}

pub(super) const PEOPLE: [Person; 4] = [
    Person {
        name: "alice",
        uid: 1_001,
        address: "198.51.100.11",
        key: "ED25519 SHA256:q2VhPzD0cX7mJt1oYkU5nWb8LrGsE3iFaHdT6vNwR4M",
    },
    Person {
        name: "bruno",
        uid: 1_002,
        address: "198.51.100.23",
        key: "ED25519 SHA256:Zr7kTnB3yLw9HsQe0VfXcJ5uMiGdP2oAaK8RbY1tE6I",
    },
    Person {
        name: "chloe",
        uid: 1_003,
        address: "2001:db8:10::42",
        key: "ECDSA SHA256:h4NdW8sUoE1vRjYk6TpGz0LqBf5XmCa2IiK9wH7tQ3c",
    },
    Person {
        name: VICTIM,
        uid: 1_100,
        address: ADMIN.1,
        key: "ED25519 SHA256:b6XyKfM2pJ0cSgVr8TnUw4EhZqLd1OaI7iN5sRkG3Hk",
    },
];

/// What ordinary visitors use.
pub(super) const BROWSERS: [&str; 4] = [
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_6) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
];
