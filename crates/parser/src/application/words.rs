//! The common words by which programs say who came, and that he was refused.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

/// What is about proving who one is.
const PROOF: &[&str] = &[
    "auth",
    "authentication",
    "authenticate",
    "authenticated",
    "authenticating",
    "authenticator",
    "authorization",
    "login",
    "logon",
    "logins",
    "signin",
    "password",
    "passwords",
    "passwd",
    "passphrase",
    "passcode",
    "pin",
    "credential",
    "credentials",
    "totp",
    "otp",
    "2fa",
    "1fa",
    "mfa",
    "authfail",
    "sasl",
    "anmeldung",
    "passwort",
    "connexion",
    "wachtwoord",
    "connexión",
    "contraseña",
];
/// What is about an account.
const ACCOUNT: &[&str] = &["user", "username", "account", "admin", "token", "identity", "benutzer"];
/// What refuses.
const REFUSAL: &[&str] = &[
    "failed",
    "failure",
    "failures",
    "fail",
    "fails",
    "failing",
    "invalid",
    "incorrect",
    "wrong",
    "bad",
    "denied",
    "rejected",
    "refused",
    "unsuccessful",
    "mismatch",
    "unable",
    "illegal",
    "forbidden",
    "disallowed",
    "unknown",
    "nonexistent",
    "existent",
    "unauthorized",
    "unauthorised",
    "unauthenticated",
    "doesn",
    "not",
    "limited",
    "blocked",
    "locked",
    "cannot",
    "couldn",
    "fehlgeschlagen",
    "fehlerhafter",
    "echec",
    "échec",
    "échouée",
    "mislukte",
    "fallido",
    "errore",
];
/// What says that it went well.
const SUCCESS: &[&str] =
    &["success", "successful", "successfully", "succeeded", "accepted", "ok", "granted"];
/// What says a refused login by itself.
const REFUSED_LOGIN: &[&str] =
    &["badlogin", "authfail", "loginfailed", "authfailed", "unauthorized", "authenticationfailed"];
/// What stands before a client's address.
const TO_CLIENT: &[&str] = &[
    "from",
    "by",
    "ip",
    "addr",
    "address",
    "ipaddress",
    "host",
    "rhost",
    "client",
    "clientip",
    "remote",
    "remoteip",
    "remoteaddr",
    "remip",
    "rip",
    "oip",
    "src",
    "srcip",
    "source",
    "sourceip",
    "peer",
    "userip",
    "attacker",
    "raddr",
    "caller",
    "callerip",
    "von",
    "van",
    "de",
    "depuis",
    "desde",
    "ipv4",
    "ipv6",
];
/// What stands before somebody else's address.
const ELSEWHERE: &[&str] = &[
    "to",
    "on",
    "at",
    "via",
    "lip",
    "local",
    "server",
    "dst",
    "dstip",
    "laddr",
    "upstream",
    "against",
    "into",
    "listen",
    "bind",
    "destination",
    "ldap",
    "nas",
    "gateway",
    "through",
];
/// Words of the sentence that no user is called by.
const PLAIN: &[&str] = &[
    "of", "user", "username", "account", "from", "for", "to", "in", "on", "at", "by", "with",
    "attempt", "attempts", "error", "has", "is", "was", "tried", "and", "or", "via", "the", "name",
    "id", "ip", "host", "does", "null", "none", "client", "using",
];
/// Stems of the words that refuse, and of what the tables of services call abuse.
const STEMS: &[&str] = &[
    "fail",
    "invalid",
    "incorrect",
    "wrong",
    "bad",
    "denied",
    "deny",
    "reject",
    "refus",
    "unsuccess",
    "mismatch",
    "unable",
    "illegal",
    "forbid",
    "allow",
    "unknown",
    "exist",
    "unauth",
    "doesn",
    " not ",
    "limit",
    "block",
    "lock",
    "cannot",
    "couldn",
    "error",
    "fehl",
    "chec",
    "chou",
    "mislukt",
    "fallid",
    "attack",
    "spam",
    "relay",
    "] ban ",
    "terminat",
    "can't",
    "not found",
    "no registration",
    "hack",
    "tossed",
    "blacklist",
    "rcon",
    "verify",
    "proxy.",
    "pregreet",
];

/// Whether a word in small letters is about proving who one is.
pub fn is_proof(word: &str) -> bool {
    PROOF.contains(&word)
}

/// Whether a word in small letters is about an account.
pub fn is_account(word: &str) -> bool {
    ACCOUNT.contains(&word)
}

/// Whether a word in small letters refuses.
pub fn is_refusal(word: &str) -> bool {
    REFUSAL.contains(&word)
}

/// Whether a word in small letters says that it went well.
pub fn is_success(word: &str) -> bool {
    SUCCESS.contains(&word)
}

/// Whether a word in small letters says a refused login by itself.
pub fn is_refused_login(word: &str) -> bool {
    REFUSED_LOGIN.contains(&word)
}

/// Whether an address behind `word` is the client's.
pub fn leads_to_client(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    let name = lower.rsplit(['.', ':', '_', '-']).next().unwrap_or_default();
    TO_CLIENT.contains(&name)
}

/// Whether an address behind `word` is somebody else's.
pub fn leads_elsewhere(word: &str) -> bool {
    ELSEWHERE.contains(&&*word.to_ascii_lowercase())
}

/// Whether a word is one of the sentence rather than a name.
pub fn is_plain(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    is_proof(&lower) || is_refusal(&lower) || PLAIN.contains(&&*lower)
}

/// Whether a text has any stem of a word that refuses.
pub fn may_refuse(text: &str) -> bool {
    static AUTOMATON: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
        let mut builder = AhoCorasick::builder();
        builder.ascii_case_insensitive(true).prefilter(false).kind(Some(AhoCorasickKind::DFA));
        builder.build(STEMS).ok()
    });
    // Without the automaton, which always builds, every line would be read.
    AUTOMATON.as_ref().is_none_or(|stems| stems.is_match(text))
}
