//! The agents' responder interface (port 6003): `POST /respond` and `GET /status`.

use serde_json::{Value, json};
use vigie_event::{
    Action, Category, DecisionStatus, FieldValues, IncidentId, Lang, Localized, Mode, Severity,
    Timestamp,
};

use crate::protection::Protection;
use crate::responder::{BanOutcome, Order, Responder};
use crate::response::{NewTicket, Response};
use crate::wording;

/// The policy name of decisions that an agent asked for.
const POLICY: &str = "agents";
/// The longest explanation kept of an agent's result, in characters.
const MAX_EXPLANATION: usize = 2_000;

/// What to answer an agent, and what to keep.
#[derive(Clone, Debug, PartialEq)]
pub struct AgentAnswer {
    /// The body of the answer.
    pub body: Value,
    /// What follows, to be stored before the answer is sent.
    pub response: Response,
}

/// The body is no result of an analyzer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("No data")]
pub struct NoResult;

/// Answers an analyzer's `result` (`severity`, `category`, `recommended_action`, `explanation`,
/// `original_event`). Whatever is missing is taken for unknown; what would ban is checked as
/// every ban is. Why something is refused is told in `lang`. `ticket` is called once for each ticket to open, and gives its id (`TKT-0001`).
///
/// # Errors
/// `result` is no JSON object.
pub fn respond_to(
    result: &Value,
    responder: &mut Responder,
    protection: &Protection,
    now: Timestamp,
    lang: Lang,
    ticket: &mut dyn FnMut(&NewTicket) -> String,
) -> Result<AgentAnswer, NoResult> {
    let outer = result.as_object().ok_or(NoResult)?;
    // An analyzer's whole answer does as well as the result inside it.
    let result = outer.get("result").and_then(Value::as_object).unwrap_or(outer);
    let event = result.get("original_event").unwrap_or(&Value::Null);
    let text = |key: &str| result.get(key).and_then(Value::as_str);

    let severity = text("severity").and_then(|text| text.parse().ok()).unwrap_or_default();
    let category = category_of(text("category").unwrap_or_default());
    let action = text("recommended_action")
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(|| usual_action(severity));
    let why = reason(text("explanation"));
    let order = Order {
        incident: incident_of(result.get("analyzed_at"), event, now),
        policy: POLICY,
        why: &why,
        first_s: None,
        earlier: &[],
        protection,
        now,
    };
    let mut response = Response::default();
    let mut body = json!({ "action": action, "mode": responder.mode(), "responded_at": now });
    match action {
        Action::BlockIp => {
            let source = source_of(event);
            let outcome = responder.ban(&order, source, &mut response);
            let (status, reason) = match outcome {
                BanOutcome::Standing => (blocked(responder.mode()), None),
                BanOutcome::Decided(DecisionStatus::Refused, reason) => ("refused", Some(reason)),
                BanOutcome::Decided(DecisionStatus::AwaitingApproval, reason) => {
                    ("awaiting_approval", Some(reason))
                }
                BanOutcome::Decided(_, reason) => (blocked(responder.mode()), Some(reason)),
            };
            put(&mut body, "ip", source.into());
            put(&mut body, "status", status.into());
            if let Some(reason) = reason {
                put(&mut body, "reason", reason.get(lang).into());
            }
        }
        Action::CreateTicket | Action::Escalate => {
            let decision = own_decision(responder, &order, action, event);
            let opened = NewTicket {
                incident: order.incident,
                decision: decision.id,
                severity,
                category,
                title: category_title(category),
                explanation: why.clone(),
            };
            put(&mut body, "ticket_id", ticket(&opened).into());
            let status = if action == Action::Escalate { "escalated" } else { "created" };
            put(&mut body, "status", status.into());
            if action == Action::Escalate {
                let payload = json!({
                    "policy": POLICY,
                    "reason": why,
                    "severity": severity,
                    "category": category,
                    "event": event,
                });
                response.outbox.push(responder.effect(&decision, payload));
            }
            response.tickets.push(opened);
            response.decisions.push(decision);
        }
        _ => {
            let status = if action == Action::Ignore { "ignored" } else { "watching" };
            put(&mut body, "ip", source_of(event).into());
            put(&mut body, "status", status.into());
            let kept = if action == Action::Ignore { Action::Ignore } else { Action::Monitor };
            put(&mut body, "action", kept.name().into());
            response.decisions.push(own_decision(responder, &order, kept, event));
        }
    }
    Ok(AgentAnswer { body, response })
}

/// A ticket as `GET /status` shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct AgentTicket {
    /// `TKT-0001`.
    pub id: String,
    /// When it was opened.
    pub created: Timestamp,
    /// How bad.
    pub severity: Severity,
    /// Of what kind.
    pub category: Category,
    /// The agent's event, or `null` where the ticket comes from elsewhere.
    pub event: Value,
    /// What happened.
    pub explanation: String,
    /// Whether it is still open.
    pub open: bool,
}

/// The answer of `GET /status`: the bans in force at `now` in the responder's mode, and the
/// tickets. `total_tickets` counts those that `tickets` leaves out too.
pub fn status(
    responder: &Responder,
    tickets: &[AgentTicket],
    total_tickets: u64,
    now: Timestamp,
) -> Value {
    let mode = responder.mode();
    let blocked: Vec<String> = responder
        .bans()
        .active(now)
        .filter(|ban| ban.mode == mode)
        .map(|ban| crate::net::display(&ban.network))
        .collect();
    let tickets: Vec<Value> = tickets
        .iter()
        .map(|ticket| {
            json!({
                "id": ticket.id,
                "created_at": ticket.created,
                "severity": ticket.severity.label(Lang::Fr),
                "category": agent_category(ticket.category),
                "event": ticket.event,
                "explanation": ticket.explanation,
                "status": if ticket.open { "OPEN" } else { "CLOSED" },
            })
        })
        .collect();
    json!({
        "mode": mode,
        "total_blocked": blocked.len(),
        "total_tickets": total_tickets,
        "blocked_ips": blocked,
        "tickets": tickets,
    })
}

/// The agents' name of a category: they know six.
pub fn agent_category(category: Category) -> &'static str {
    match category {
        Category::BruteForce | Category::PortScan | Category::WebAttack | Category::Malware => {
            category.name()
        }
        Category::Benign => "normal",
        _ => "suspicious_activity",
    }
}

fn category_of(name: &str) -> Category {
    if name == "normal" {
        return Category::Benign;
    }
    Category::ALL.into_iter().find(|category| category.name() == name).unwrap_or_default()
}

fn category_title(category: Category) -> Localized {
    Localized::new(category.label(Lang::En), category.label(Lang::Fr))
}

/// What the agents' own table says, for results that recommend nothing.
fn usual_action(severity: Severity) -> Action {
    match severity {
        Severity::Critical => Action::Escalate,
        Severity::High => Action::BlockIp,
        Severity::Medium => Action::CreateTicket,
        Severity::Low => Action::Monitor,
        Severity::Informational => Action::Ignore,
    }
}

fn source_of(event: &Value) -> &str {
    ["src", "src_ip", "source_ip", "source.ip", "ip"]
        .iter()
        .find_map(|key| event.get(*key).and_then(Value::as_str))
        .unwrap_or("unknown")
}

fn reason(explanation: Option<&str>) -> Localized {
    let given: String = explanation
        .unwrap_or_default()
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .take(MAX_EXPLANATION)
        .collect();
    let given = given.trim().trim_end_matches('.');
    if given.is_empty() {
        return Localized::new("an agent asks for it", "un agent le demande");
    }
    // In whatever language the agent speaks.
    Localized::new(given, "")
}

/// The same result is the same incident, so that a repeated request decides nothing new.
fn incident_of(analyzed: Option<&Value>, event: &Value, now: Timestamp) -> IncidentId {
    let written = ["timestamp", "collected_at"]
        .iter()
        .find_map(|key| event.get(*key).and_then(Value::as_str))
        .or_else(|| analyzed.and_then(Value::as_str))
        .and_then(|text| Timestamp::parse(text).ok());
    IncidentId::derive(written.unwrap_or(now), &[POLICY.as_bytes(), event.to_string().as_bytes()])
}

fn own_decision(
    responder: &Responder,
    order: &Order<'_>,
    action: Action,
    event: &Value,
) -> vigie_event::Decision {
    let target = FieldValues::one("source.ip", &wording::plain(source_of(event)));
    let reason = wording::sentence(responder.langs(), order.why);
    let mut decision = responder.decision(order, action, target, 0, reason);
    // Escalating calls people: that is delivered. The others are done once they are kept.
    if action != Action::Escalate {
        decision.status = responder.status_inside();
    }
    decision
}

fn blocked(mode: Mode) -> &'static str {
    match mode {
        Mode::DryRun => "simulated",
        Mode::Enforce => "blocked",
    }
}

fn put(body: &mut Value, key: &str, value: Value) {
    if let Value::Object(object) = body {
        object.insert(key.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Policy;
    use crate::protection::{Guard, GuardKind};
    use crate::testing::NOW;

    fn result(action: &str, src: &str) -> Value {
        json!({
            "severity": "Élevé",
            "category": "brute_force",
            "recommended_action": action,
            "explanation": "Tentatives répétées.",
            "analyzed_at": "2026-01-05T10:12:14.000000Z",
            "original_event": {
                "type": "ssh_failed", "src": src, "user": "root",
                "timestamp": "2026-01-05T10:12:13.123456Z",
            },
        })
    }

    fn answer(responder: &mut Responder, result: &Value) -> AgentAnswer {
        let guard = Guard { network: "192.0.2.1/32".parse().unwrap(), kind: GuardKind::Gateway };
        let protection = Protection::of(vec![guard], NOW);
        let mut numbered = 0;
        let mut ticket = |_: &NewTicket| {
            numbered += 1;
            format!("TKT-{numbered:04}")
        };
        respond_to(result, responder, &protection, NOW, Lang::En, &mut ticket).unwrap()
    }

    fn check(mode: Mode, result: &Value, expected: &[(&str, &str)]) -> AgentAnswer {
        let mut responder = Responder::new(Policy::shipped(), mode);
        let answer = answer(&mut responder, result);
        for (key, value) in expected {
            assert_eq!(answer.body[key], *value, "{key} of {}", answer.body);
        }
        assert_eq!(answer.body["responded_at"], NOW.to_string());
        answer
    }

    #[test]
    fn answers_as_the_agents_expect() {
        let live = Mode::Enforce;
        let address = "192.168.56.102";
        check(
            live,
            &result("block_ip", address),
            &[("action", "block_ip"), ("status", "blocked"), ("ip", address)],
        );
        check(
            Mode::DryRun,
            &result("block_ip", address),
            &[("action", "block_ip"), ("status", "simulated"), ("ip", address)],
        );
        check(
            live,
            &result("create_ticket", address),
            &[("action", "create_ticket"), ("status", "created"), ("ticket_id", "TKT-0001")],
        );
        check(
            live,
            &result("escalate", address),
            &[("action", "escalate"), ("status", "escalated"), ("ticket_id", "TKT-0001")],
        );
        check(
            live,
            &result("monitor", address),
            &[("action", "monitor"), ("status", "watching"), ("ip", address)],
        );
        check(live, &result("ignore", address), &[("action", "ignore"), ("status", "ignored")]);
    }

    #[test]
    fn refuses_what_must_not_be_banned() {
        let reason = "192.0.2.1 is not banned: 192.0.2.1 is this machine’s default gateway.";
        let refused = [("status", "refused"), ("reason", reason)];
        let answer = check(Mode::Enforce, &result("block_ip", "192.0.2.1"), &refused);
        assert!(answer.response.bans.is_empty() && answer.response.outbox.is_empty());
        let refused = [("status", "refused"), ("ip", "somewhere")];
        check(Mode::Enforce, &result("block_ip", "somewhere"), &refused);
    }

    #[test]
    fn what_is_missing_is_unknown() {
        for (body, action, status) in [
            (json!({}), "ignore", "ignored"),
            (json!({"severity": "Critique"}), "escalate", "escalated"),
            (json!({"severity": "Moyen", "category": 7}), "create_ticket", "created"),
            (json!({"severity": "high"}), "block_ip", "refused"),
            (json!({"recommended_action": "explode", "severity": "Faible"}), "monitor", "watching"),
        ] {
            check(Mode::Enforce, &body, &[("action", action), ("status", status)]);
        }
        let mut responder = Responder::new(Policy::shipped(), Mode::Enforce);
        let nothing = respond_to(
            &json!([1]),
            &mut responder,
            &Protection::of(Vec::new(), NOW),
            NOW,
            Lang::En,
            &mut |_| String::new(),
        );
        assert_eq!(nothing, Err(NoResult));
    }

    #[test]
    fn takes_an_analyzers_whole_answer() {
        let whole = json!({"status": "analyzed", "result": result("block_ip", "198.51.100.7")});
        check(Mode::Enforce, &whole, &[("status", "blocked"), ("ip", "198.51.100.7")]);
    }

    #[test]
    fn a_second_request_bans_no_second_time() {
        let mut responder = Responder::new(Policy::shipped(), Mode::Enforce);
        let first = answer(&mut responder, &result("block_ip", "198.51.100.7"));
        let second = answer(&mut responder, &result("block_ip", "198.51.100.7"));
        assert_eq!(first.response.outbox.len(), 1);
        assert!(second.response.is_empty());
        assert_eq!(second.body["status"], "blocked");
    }

    #[test]
    fn what_leaves_goes_through_the_outbox_in_either_mode() {
        for mode in [Mode::DryRun, Mode::Enforce] {
            for (action, leaves) in [
                ("block_ip", true),
                ("escalate", true),
                ("create_ticket", false),
                ("monitor", false),
                ("ignore", false),
            ] {
                let answer = check(mode, &result(action, "198.51.100.7"), &[]);
                let response = answer.response;
                let waits = response.decisions[0].status == DecisionStatus::Pending;
                assert_eq!(
                    (response.outbox.len(), waits),
                    (usize::from(leaves), leaves),
                    "{action}"
                );
                assert!(response.outbox.iter().all(|effect| effect.mode == mode));
            }
        }
    }

    #[test]
    fn tells_what_stands() {
        let mut responder = Responder::new(Policy::shipped(), Mode::Enforce);
        answer(&mut responder, &result("block_ip", "198.51.100.7"));
        let ticket = AgentTicket {
            id: "TKT-0001".into(),
            created: NOW,
            severity: Severity::Medium,
            category: Category::LateralMovement,
            event: json!({"type": "port_scan"}),
            explanation: "Balayage.".into(),
            open: true,
        };
        let shown = status(&responder, &[ticket], 3, NOW);
        assert_eq!(shown["blocked_ips"], json!(["198.51.100.7"]));
        assert_eq!(shown["total_blocked"], 1);
        assert_eq!(shown["total_tickets"], 3);
        assert_eq!(
            shown["tickets"][0],
            json!({
                "id": "TKT-0001", "created_at": NOW.to_string(), "severity": "Moyen",
                "category": "suspicious_activity", "event": {"type": "port_scan"},
                "explanation": "Balayage.", "status": "OPEN",
            })
        );
    }
}
