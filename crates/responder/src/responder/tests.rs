use super::*;
use crate::bans::PastBan;
use crate::protection::{Allowed, Guard, GuardKind};
use crate::testing::{NOW, incident, recommend, verdict};
use proptest::prelude::*;
use vigie_event::Severity;

const HOUR: i64 = 3_600;
const ATTACKER: &str = "203.0.113.7";

fn open() -> Protection {
    Protection::of(Vec::new(), NOW)
}

fn responder(mode: Mode) -> Responder {
    Responder::new(Policy::shipped(), mode)
}

fn told(response: &Response) -> Vec<String> {
    response
        .decisions
        .iter()
        .map(|decision| format!("{} {}", decision.action, decision.status))
        .collect()
}

#[test]
fn a_high_verdict_bans_and_opens_a_ticket() {
    let incident = incident(ATTACKER);
    let verdict = verdict(&incident, Severity::High, true);
    let mut responder = responder(Mode::Enforce);
    let response = responder.decide(&verdict, &incident, &[], &open(), NOW);
    assert_eq!(told(&response), ["block_ip pending", "create_ticket applied"]);

    let ban = &response.decisions[0];
    assert_eq!(ban.target.get("source.ip"), Some(ATTACKER));
    assert_eq!(ban.duration_s, Some(4 * 3_600));
    assert_eq!(ban.expires, Some(NOW.plus_seconds(4 * HOUR)));
    assert_eq!(ban.policy, "high-ban");
    assert_eq!(
        ban.reason.en,
        "Ban of 203.0.113.7 for 4 hours: the source of an incident of high severity is banned, and a ticket keeps track of it."
    );
    assert_eq!(response.bans[0].network.to_string(), "203.0.113.7/32");
    assert_eq!(response.bans[0].decision, ban.id);
    assert_eq!(response.outbox.len(), 1);
    assert_eq!(response.outbox[0].payload["operation"], "add");
    assert_eq!(response.outbox[0].payload["network"], "203.0.113.7/32");
    assert_eq!(response.outbox[0].decision, ban.id);
    assert_eq!(response.tickets.len(), 1);
    assert_eq!(response.tickets[0].explanation, verdict.summary);
}

#[test]
fn dry_run_goes_the_same_way() {
    let incident = incident(ATTACKER);
    let verdict = verdict(&incident, Severity::Critical, true);
    let real = responder(Mode::Enforce).decide(&verdict, &incident, &[], &open(), NOW);
    let mut dry_responder = responder(Mode::DryRun);
    let dry = dry_responder.decide(&verdict, &incident, &[], &open(), NOW);
    assert_eq!(told(&real), ["escalate pending", "block_ip pending"]);
    assert_eq!(told(&dry), told(&real));
    for (real, dry) in real.decisions.iter().zip(&dry.decisions) {
        assert_eq!((&real.target, real.duration_s), (&dry.target, dry.duration_s));
        assert_eq!((&real.reason, real.expires), (&dry.reason, dry.expires));
        // Else the simulated one would stand where the real one belongs.
        assert_ne!(real.id, dry.id);
    }
    let told = |response: &Response| response.tickets.iter().map(|it| it.title.clone()).collect();
    let (of_real, of_dry): (Vec<_>, Vec<_>) = (told(&real), told(&dry));
    assert_eq!(of_real, of_dry);
    assert_eq!(real.outbox.len(), 2);
    for (real, dry) in real.outbox.iter().zip(&dry.outbox) {
        assert_eq!((real.mode, dry.mode), (Mode::Enforce, Mode::DryRun));
        assert_eq!((&real.payload, real.kind), (&dry.payload, dry.kind));
        // Else the simulated one would keep the real one out of the outbox.
        assert_ne!(real.idempotency_key, dry.idempotency_key);
    }
    assert!(dry_responder.bans().is_banned(ATTACKER.parse().unwrap(), Mode::DryRun, NOW));
    assert!(!dry_responder.bans().is_banned(ATTACKER.parse().unwrap(), Mode::Enforce, NOW));
}

#[test]
fn what_has_no_outbox_is_simulated_at_once() {
    let incident = incident(ATTACKER);
    for (mode, severity, expected) in [
        (Mode::DryRun, Severity::Critical, ["escalate simulated", "block_ip simulated"]),
        (Mode::DryRun, Severity::High, ["block_ip simulated", "create_ticket simulated"]),
        (Mode::Enforce, Severity::High, ["block_ip pending", "create_ticket applied"]),
    ] {
        let verdict = verdict(&incident, severity, true);
        let mut response = responder(mode).decide(&verdict, &incident, &[], &open(), NOW);
        response.simulate();
        assert_eq!(told(&response), expected);
        assert_eq!(response.bans[0].status == DecisionStatus::Simulated, mode == Mode::DryRun);
        assert_eq!(response.outbox.is_empty(), mode == Mode::DryRun);
    }
}

#[test]
fn going_live_does_what_was_only_simulated() {
    let incident = incident(ATTACKER);
    let verdict = verdict(&incident, Severity::Critical, true);
    let mut dry = responder(Mode::DryRun).decide(&verdict, &incident, &[], &open(), NOW);
    dry.simulate();
    let mut live = responder(Mode::Enforce);
    let real = live.decide(&verdict, &incident, &dry.decisions, &open(), NOW);
    assert_eq!(told(&real), ["escalate pending", "block_ip pending"]);
    assert!(real.tickets.is_empty(), "its ticket is open already");
    let all: Vec<_> = dry.decisions.iter().chain(&real.decisions).cloned().collect();
    assert!(live.decide(&verdict, &incident, &all, &open(), NOW).is_empty());

    // What a person has taken back stays so in either mode.
    let mut lifted = dry.decisions.clone();
    lifted[1].status = DecisionStatus::Undone;
    let real = responder(Mode::Enforce).decide(&verdict, &incident, &lifted, &open(), NOW);
    assert_eq!(told(&real), ["escalate pending"]);
}

#[test]
fn lifting_a_simulated_ban_goes_the_same_way() {
    let mut responder = responder(Mode::DryRun);
    let incident = incident(ATTACKER);
    let verdict = verdict(&incident, Severity::High, true);
    let response = responder.decide(&verdict, &incident, &[], &open(), NOW);
    let undone = responder.undo(&response.decisions[0]);
    assert_eq!(undone.outbox[0].payload["operation"], "remove");
    assert_eq!(undone.outbox[0].mode, Mode::DryRun);
}

#[test]
fn every_severity_has_its_answer() {
    for (severity, expected) in [
        (Severity::Critical, vec!["escalate pending", "block_ip pending"]),
        (Severity::High, vec!["block_ip pending", "create_ticket applied"]),
        (Severity::Medium, vec!["create_ticket applied"]),
        (Severity::Low, vec!["monitor applied"]),
        (Severity::Informational, vec!["ignore applied"]),
    ] {
        let incident = incident(ATTACKER);
        let verdict = verdict(&incident, severity, true);
        let response = responder(Mode::Enforce).decide(&verdict, &incident, &[], &open(), NOW);
        assert_eq!(told(&response), expected, "{severity}");
    }
}

#[test]
fn reasons_come_in_both_languages() {
    let incident = incident(ATTACKER);
    let verdict = verdict(&incident, Severity::High, true);
    let history = PastBan {
        network: "203.0.113.7/32".parse().unwrap(),
        created: NOW.plus_seconds(-10 * HOUR),
        mode: Mode::DryRun,
    };
    let mut responder = responder(Mode::DryRun).with_bans(Bans::restore([], [history]));
    let response = responder.decide(&verdict, &incident, &[], &open(), NOW);
    assert_eq!(
        response.decisions[0].reason.fr,
        "Bannissement de 203.0.113.7 pendant 8 heures : la source d’un incident de sévérité élevée est bannie, et un ticket en garde la trace ; elle a déjà été bannie une fois."
    );
}

#[test]
fn the_protected_are_refused_with_the_reason() {
    let gateway = Guard { network: "203.0.113.7/32".parse().unwrap(), kind: GuardKind::Gateway };
    let office = Allowed::parse("203.0.113.0/24", "the office", None).unwrap();
    for (protection, expected) in [
        (
            Protection::of(vec![gateway], NOW),
            "203.0.113.7 is not banned: 203.0.113.7 is this machine’s default gateway.",
        ),
        (
            open().allowing([office]),
            "203.0.113.7 is not banned: 203.0.113.0/24 stands on the allowlist (the office).",
        ),
        (
            Protection::unknown("no /proc", NOW),
            "203.0.113.7 is not banned: who must be protected cannot be told: no /proc.",
        ),
    ] {
        let incident = incident(ATTACKER);
        let verdict = verdict(&incident, Severity::High, true);
        let mut responder = responder(Mode::Enforce);
        let response = responder.decide(&verdict, &incident, &[], &protection, NOW);
        assert_eq!(told(&response), ["block_ip refused", "create_ticket applied"]);
        assert_eq!(response.decisions[0].reason.en, expected);
        assert!(response.bans.is_empty() && response.outbox.is_empty());
        assert_eq!(responder.bans().active(NOW).count(), 0);
    }
}

#[test]
fn a_refusal_is_looked_at_again_and_said_once() {
    let incident = incident(ATTACKER);
    let verdict = verdict(&incident, Severity::High, true);
    let mut responder = responder(Mode::Enforce);
    let blind = Protection::unknown("no /proc", NOW);
    let first = responder.decide(&verdict, &incident, &[], &blind, NOW);
    let again = responder.decide(&verdict, &incident, &first.decisions, &blind, NOW);
    assert!(again.is_empty());
    let seeing = responder.decide(&verdict, &incident, &first.decisions, &open(), NOW);
    assert_eq!(told(&seeing), ["block_ip pending"]);
    assert_eq!(seeing.decisions[0].id, first.decisions[0].id);
}

#[test]
fn only_addresses_of_the_evidence_are_banned() {
    let incident = incident(ATTACKER);
    let mut verdict = verdict(&incident, Severity::High, false);
    verdict.recommendations =
        vec![recommend("198.51.100.1"), recommend("not an address\n"), recommend(ATTACKER)];
    let response = responder(Mode::Enforce).decide(&verdict, &incident, &[], &open(), NOW);
    let bans: Vec<_> = response
        .decisions
        .iter()
        .filter(|decision| decision.action == Action::BlockIp)
        .map(|decision| {
            format!("{} {}", &decision.target.get("source.ip").unwrap(), decision.status)
        })
        .collect();
    assert_eq!(
        bans,
        ["198.51.100.1 refused", "not an address\u{FFFD} refused", "203.0.113.7 pending"]
    );
}

#[test]
fn a_source_that_is_no_address_is_refused() {
    let incident = incident("unknown");
    let verdict = verdict(&incident, Severity::High, true);
    let response = responder(Mode::Enforce).decide(&verdict, &incident, &[], &open(), NOW);
    assert_eq!(response.decisions[0].reason.en, "Nothing is banned: “unknown” is no address.");
}

#[test]
fn addresses_are_one_however_they_are_written() {
    let incident = incident("::ffff:203.0.113.7");
    let mut verdict = verdict(&incident, Severity::High, true);
    verdict.recommendations.push(recommend(ATTACKER));
    let response = responder(Mode::Enforce).decide(&verdict, &incident, &[], &open(), NOW);
    assert_eq!(told(&response), ["block_ip pending", "create_ticket applied"]);
    assert_eq!(response.bans[0].network.to_string(), "203.0.113.7/32");
}

#[test]
fn an_ipv6_ban_takes_the_64() {
    let incident = incident("2001:db8:1:2::7");
    let verdict = verdict(&incident, Severity::High, true);
    let response = responder(Mode::Enforce).decide(&verdict, &incident, &[], &open(), NOW);
    assert_eq!(response.bans[0].network.to_string(), "2001:db8:1:2::/64");
    assert_eq!(response.decisions[0].target.get("source.ip"), Some("2001:db8:1:2::7"));
}

#[test]
fn each_ban_of_an_address_is_twice_as_long() {
    let mut responder = responder(Mode::Enforce);
    let mut now = NOW;
    for (round, hours) in [4, 8, 16, 32, 64, 128, 256, 512, 672, 672].into_iter().enumerate() {
        let mut incident = incident(ATTACKER);
        incident.id = IncidentId::derive(now, &[&round.to_le_bytes()]);
        let verdict = verdict(&incident, Severity::High, true);
        // So that all of them stay within the memory of 30 days.
        let response = responder.decide(&verdict, &incident, &[], &open(), now);
        assert_eq!(response.decisions[0].duration_s, Some(hours * 3_600), "ban {round}");
        responder.bans_mut().lift(&response.bans[0].network, Mode::Enforce, false);
        now = now.plus_seconds(HOUR);
    }
    let long_after = now.plus_seconds(31 * 24 * HOUR);
    let incident = incident(ATTACKER);
    let verdict = verdict(&incident, Severity::High, true);
    let response = responder.decide(&verdict, &incident, &[], &open(), long_after);
    assert_eq!(response.decisions[0].duration_s, Some(4 * 3_600));
}

#[test]
fn who_is_banned_already_is_not_banned_again() {
    let mut responder = responder(Mode::Enforce);
    let first = incident(ATTACKER);
    let verdict_of_first = verdict(&first, Severity::High, true);
    let begun = responder.decide(&verdict_of_first, &first, &[], &open(), NOW);

    let mut second = incident(ATTACKER);
    second.id = IncidentId::derive(NOW, &[b"second"]);
    let verdict_of_second = verdict(&second, Severity::High, true);
    let soon = NOW.plus_seconds(HOUR);
    let response = responder.decide(&verdict_of_second, &second, &[], &open(), soon);
    assert_eq!(told(&response), ["create_ticket applied"]);
    assert!(response.bans.is_empty() && response.outbox.is_empty());

    // Late in the ban, a new one would reach far beyond it: it is made longer.
    let late = NOW.plus_seconds(3 * HOUR);
    let response = responder.decide(&verdict_of_second, &second, &[], &open(), late);
    assert_eq!(told(&response), ["create_ticket applied"]);
    assert_eq!(response.bans[0].decision, begun.decisions[0].id);
    assert_eq!(response.bans[0].expires, late.plus_seconds(4 * HOUR));
    assert_ne!(response.outbox[0].idempotency_key, begun.outbox[0].idempotency_key);
    assert_eq!(responder.bans().active(late).count(), 1);
}

#[test]
fn an_incident_that_outlives_its_ban_is_banned_anew() {
    let mut responder = responder(Mode::Enforce);
    let incident = incident(ATTACKER);
    let verdict = verdict(&incident, Severity::High, true);
    let first = responder.decide(&verdict, &incident, &[], &open(), NOW);
    let after = NOW.plus_seconds(5 * HOUR);
    let second = responder.decide(&verdict, &incident, &first.decisions, &open(), after);
    assert_eq!(told(&second), ["block_ip pending"]);
    assert_ne!(second.decisions[0].id, first.decisions[0].id);
    assert_eq!(second.decisions[0].duration_s, Some(8 * 3_600));
}

#[test]
fn a_worse_verdict_adds_only_what_is_new() {
    let incident = incident(ATTACKER);
    let mut responder = responder(Mode::Enforce);
    let mut earlier = Vec::new();
    for (severity, ban, expected) in [
        (Severity::Low, false, vec!["monitor applied"]),
        (Severity::Medium, false, vec!["create_ticket applied"]),
        (Severity::High, true, vec!["block_ip pending"]),
        (Severity::Critical, true, vec!["escalate pending"]),
        (Severity::Low, false, vec![]),
    ] {
        let verdict = verdict(&incident, severity, ban);
        let response = responder.decide(&verdict, &incident, &earlier, &open(), NOW);
        assert_eq!(told(&response), expected, "{severity}");
        let tickets = usize::from(severity == Severity::Medium);
        assert_eq!(response.tickets.len(), tickets, "{severity}");
        earlier.extend(response.decisions);
    }
}

#[test]
fn escalation_alone_opens_a_ticket() {
    let incident = incident(ATTACKER);
    let verdict = verdict(&incident, Severity::Critical, false);
    let response = responder(Mode::Enforce).decide(&verdict, &incident, &[], &open(), NOW);
    assert_eq!(told(&response), ["escalate pending"]);
    assert_eq!(response.tickets.len(), 1);
    assert_eq!(response.outbox[0].kind, Action::Escalate);
}

#[test]
fn a_closed_incident_is_left_alone() {
    let mut incident = incident(ATTACKER);
    incident.status = IncidentStatus::Closed;
    let verdict = verdict(&incident, Severity::Critical, true);
    assert!(responder(Mode::Enforce).decide(&verdict, &incident, &[], &open(), NOW).is_empty());
}

#[test]
fn too_many_bans_a_minute_wait_for_approval() {
    let mut responder = responder(Mode::Enforce);
    let mut waiting = None;
    for n in 0..31 {
        let incident = incident(&format!("203.0.113.{n}"));
        let verdict = verdict(&incident, Severity::High, true);
        let response = responder.decide(&verdict, &incident, &[], &open(), NOW);
        if n < 30 {
            assert_eq!(response.decisions[0].status, DecisionStatus::Pending, "{n}");
        } else {
            assert_eq!(response.decisions[0].status, DecisionStatus::AwaitingApproval);
            assert!(response.bans.is_empty() && response.outbox.is_empty());
            let again = responder.decide(&verdict, &incident, &response.decisions, &open(), NOW);
            assert!(again.is_empty());
            waiting = Some(response.decisions[0].clone());
        }
    }
    let later = NOW.plus_seconds(120);
    let waiting = waiting.unwrap();
    let refused = responder.approve(&waiting, &Protection::unknown("no /proc", later), later);
    assert_eq!(told(&refused), ["block_ip refused"]);
    let approved = responder.approve(&waiting, &open(), later);
    assert_eq!(told(&approved), ["block_ip pending"]);
    assert_eq!(approved.decisions[0].id, waiting.id);
    assert_eq!(approved.bans[0].expires, later.plus_seconds(4 * HOUR));
    assert_eq!(approved.outbox.len(), 1);
    assert!(responder.approve(&approved.decisions[0], &open(), later).is_empty());
}

#[test]
fn undoing_lifts_the_ban_and_does_not_count_it() {
    let mut responder = responder(Mode::Enforce);
    let incident = incident(ATTACKER);
    let verdict = verdict(&incident, Severity::High, true);
    let response = responder.decide(&verdict, &incident, &[], &open(), NOW);
    let undone = responder.undo(&response.decisions[0]);
    assert_eq!(told(&undone), ["block_ip undone"]);
    assert_eq!(undone.outbox[0].payload["operation"], "remove");
    assert_eq!(undone.bans[0].status, DecisionStatus::Undone);
    assert_eq!(responder.bans().active(NOW).count(), 0);
    assert_eq!(responder.bans().history().count(), 0);
    assert!(responder.undo(&undone.decisions[0]).is_empty());

    // The verdict is renewed: nobody is banned against the person who lifted it.
    let mut earlier = response.decisions;
    earlier[0] = undone.decisions[0].clone();
    assert!(responder.decide(&verdict, &incident, &earlier, &open(), NOW).is_empty());
}

#[test]
fn bans_survive_a_restart() {
    let mut responder = responder(Mode::Enforce);
    let first = incident(ATTACKER);
    let response =
        responder.decide(&verdict(&first, Severity::High, true), &first, &[], &open(), NOW);
    let kept = serde_json::to_string(&response).unwrap();
    let response: Response = serde_json::from_str(&kept).unwrap();
    let bans = Bans::restore(response.bans, responder.bans().history().collect::<Vec<_>>());
    let mut again = Responder::new(Policy::shipped(), Mode::Enforce).with_bans(bans);
    let mut second = incident(ATTACKER);
    second.id = IncidentId::derive(NOW, &[b"second"]);
    let verdict = verdict(&second, Severity::High, true);
    let soon = again.decide(&verdict, &second, &[], &open(), NOW.plus_seconds(60));
    assert_eq!(told(&soon), ["create_ticket applied"]);
    let later = NOW.plus_seconds(5 * HOUR);
    assert_eq!(again.bans_mut().expire(later).len(), 1);
    let after = again.decide(&verdict, &second, &soon.decisions, &open(), later);
    assert_eq!(after.decisions[0].duration_s, Some(8 * 3_600));
}

#[test]
fn playbooks_and_commands_run_once_each() {
    let policy = Policy::parse(
        r#"
        [[rule]]
        name = "all"
        do = ["notify", "webhook", { action = "run_playbook", name = "isolate" }, { action = "run_command", name = "snapshot" }]
        reason = { en = "everything", fr = "tout" }
        "#,
    )
    .unwrap();
    let incident = incident(ATTACKER);
    let verdict = verdict(&incident, Severity::High, true);
    let mut responder = Responder::new(policy, Mode::Enforce);
    let response = responder.decide(&verdict, &incident, &[], &open(), NOW);
    assert_eq!(
        told(&response),
        ["notify pending", "webhook pending", "run_playbook pending", "run_command pending"]
    );
    assert_eq!(response.outbox[2].payload["name"], "isolate");
    assert_eq!(response.outbox[1].payload["verdict"]["severity"], "high");
    let mut keys: Vec<_> = response.outbox.iter().map(|entry| &entry.idempotency_key).collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 4);
    assert!(responder.decide(&verdict, &incident, &response.decisions, &open(), NOW).is_empty());
}

fn severities() -> impl Strategy<Value = Severity> {
    prop::sample::select(Severity::ALL.to_vec())
}

proptest! {
    #[test]
    fn a_renewed_verdict_repeats_nothing(
        verdicts in prop::collection::vec((severities(), any::<bool>(), 0_u8..=100), 1..12),
        enforce in any::<bool>(),
        protected in any::<bool>(),
    ) {
        let mode = if enforce { Mode::Enforce } else { Mode::DryRun };
        let guard = Guard { network: "203.0.113.7/32".parse().unwrap(), kind: GuardKind::Gateway };
        let protection = Protection::of(if protected { vec![guard] } else { Vec::new() }, NOW);
        let incident = incident(ATTACKER);
        let mut responder = responder(mode);
        let mut earlier: Vec<Decision> = Vec::new();
        for (round, (severity, ban, confidence)) in verdicts.into_iter().enumerate() {
            let now = NOW.plus_seconds(round as i64);
            let mut verdict = verdict(&incident, severity, ban);
            verdict.confidence = confidence;
            let response = responder.decide(&verdict, &incident, &earlier, &protection, now);
            for decision in &response.decisions {
                prop_assert!(earlier.iter().all(|known| known.id != decision.id));
            }
            earlier.extend(response.decisions);
            let again = responder.decide(&verdict, &incident, &earlier, &protection, now);
            prop_assert!(again.is_empty(), "{again:?}");
        }
        let bans = earlier.iter().filter(|decision| decision.action == Action::BlockIp).count();
        prop_assert!(bans <= 1);
        prop_assert!(responder.bans().active(NOW).count() <= usize::from(!protected));
    }
}
