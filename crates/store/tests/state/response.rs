//! Decisions, bans, tickets and the outbox.

use ipnet::IpNet;
use vigie_event::{Category, DecisionStatus, Localized, Mode, Severity, Timestamp};
use vigie_store::state::{
    AuditFilter, Ban, BanFilter, BanStatus, DecisionFilter, NewTicket, OutboxEntry, OutboxStatus,
    PageRequest, ResponseBatch, State, StateError, TicketFilter, TicketStatus,
};

use crate::fixtures::{
    NOW, commit, decision, decision_id, incident, incident_id, on_both, verdict,
};

fn net(text: &str) -> IpNet {
    text.parse().unwrap()
}

pub fn ban(n: u64, seconds: i64) -> Ban {
    Ban {
        id: decision_id(n).to_string(),
        target: net(&format!("203.0.113.{n}/32")),
        reason: Localized::new("five failures", "cinq échecs"),
        incident: Some(incident_id(1)),
        decision: Some(decision_id(n)),
        created: NOW.plus_seconds(n as i64),
        expires: Some(NOW.plus_seconds(seconds)),
        mode: Mode::Enforce,
        status: BanStatus::Active,
        ended: None,
        ended_by: None,
    }
}

pub fn ticket(key: &str) -> NewTicket {
    NewTicket {
        key: key.to_owned(),
        incident: Some(incident_id(1)),
        severity: Severity::High,
        category: Category::BruteForce,
        title: Localized::new("Brute force", "Force brute"),
        explanation: Localized::new("Five failures", "Cinq échecs"),
        event: Some(serde_json::json!({ "src": "203.0.113.1" })),
        created: NOW,
    }
}

fn effect(key: &str, n: u64) -> OutboxEntry {
    OutboxEntry {
        key: key.to_owned(),
        kind: "block_ip".to_owned(),
        mode: Mode::Enforce,
        incident: Some(incident_id(1)),
        decision: Some(decision_id(n)),
        payload: serde_json::json!({ "operation": "add" }),
        created: NOW,
        next_try: NOW,
    }
}

fn batch(n: u64, status: DecisionStatus) -> ResponseBatch {
    ResponseBatch {
        decisions: vec![decision(n, 1, status)],
        bans: vec![ban(n, 100)],
        tickets: vec![ticket(&format!("ticket {n}"))],
        outbox: vec![effect(&format!("effect {n}"), n)],
    }
}

async fn status(state: &State, n: u64) -> DecisionStatus {
    state.decision(decision_id(n)).await.unwrap().unwrap().decision.status
}

async fn judged(state: &State) -> vigie_event::Verdict {
    commit(state, 1, &[], &[incident(1, 1, Severity::High)]).await;
    let verdict = verdict(1, 1, "built-in", Severity::High);
    state.save_verdicts(std::slice::from_ref(&verdict)).await.unwrap();
    verdict
}

#[tokio::test]
async fn deciding_again_changes_nothing() {
    on_both(async |state| {
        let verdict = judged(&state).await;
        let batch = batch(1, DecisionStatus::Pending);
        let first = state.save_decisions(&verdict, &batch).await.unwrap();
        assert_eq!(first.tickets[0].id, "TKT-0001");
        assert_eq!(first.tickets[0].about, batch.tickets[0]);

        let reason = Localized::new("in the firewall", "dans le pare-feu");
        let applied = Some((DecisionStatus::Applied, Some(&reason)));
        let changed = state.outbox_done("effect 1", applied).await.unwrap().unwrap();
        assert_eq!(changed.status, DecisionStatus::Applied);
        assert_eq!(state.save_decisions(&verdict, &batch).await.unwrap(), first);
        assert_eq!(state.outbox_due(Mode::Enforce, NOW.plus_seconds(99), 10).await.unwrap(), []);
        let detail = state.incident(incident_id(1)).await.unwrap().unwrap();
        assert_eq!(detail.decisions.len(), 1);
        assert_eq!(detail.decisions[0].decision.status, DecisionStatus::Applied);
        assert_eq!(detail.decisions[0].decision.reason, reason);
        assert_eq!(detail.decisions[0].verdict.as_ref(), Some(&verdict), "what it rests on");
        assert_eq!(detail.tickets, first.tickets);
        let bans = state.bans(&BanFilter::default(), &PageRequest::default()).await.unwrap();
        assert_eq!(bans.items, batch.bans);
    })
    .await;
}

#[tokio::test]
async fn decisions_move_on_and_never_back() {
    use DecisionStatus::{
        Applied, AwaitingApproval, Expired, Failed, Pending, Refused, Simulated, Undone,
    };
    let state = State::in_memory().await.unwrap();
    for (n, (from, to, later, expected)) in (1..).zip([
        (AwaitingApproval, Pending, 0, Pending),
        (AwaitingApproval, Refused, 0, Refused),
        (Pending, AwaitingApproval, 5, Pending),
        (Pending, Applied, 0, Applied),
        (Applied, Pending, 5, Applied),
        (Pending, Simulated, 0, Simulated),
        (Simulated, Pending, 5, Simulated),
        (Applied, Undone, 0, Undone),
        (Undone, Pending, 5, Undone),
        (Expired, Simulated, 5, Expired),
        (Failed, Pending, 5, Failed),
        (Refused, Pending, 0, Refused),
        (Refused, Pending, 5, Pending),
    ]) {
        for (status, seconds) in [(from, 0), (to, later)] {
            let mut changed = decision(n, 1, status);
            changed.created = changed.created.plus_seconds(seconds);
            let batch = ResponseBatch { decisions: vec![changed], ..ResponseBatch::default() };
            state.save_response(&batch).await.unwrap();
        }
        assert_eq!(status(&state, n).await, expected, "{from} then {to} {later} s later");
    }
    let filter = DecisionFilter { status: vec![Pending, Undone], ..DecisionFilter::default() };
    let page = state.decisions(&filter, &PageRequest::default()).await.unwrap();
    let found: Vec<_> = page.items.iter().map(|stored| stored.decision.id).collect();
    assert_eq!(found, [13, 9, 8, 3, 1].map(decision_id));
}

#[tokio::test]
async fn a_failed_batch_leaves_nothing_behind() {
    let state = State::in_memory().await.unwrap();
    let verdict = verdict(1, 1, "built-in", Severity::High);
    state.save_response(&batch(1, DecisionStatus::Pending)).await.unwrap();
    let effects = batch(2, DecisionStatus::Pending);
    let missing = state.approve_decision(decision_id(2), &effects, "zoé", NOW).await;
    assert!(matches!(missing, Err(StateError::NotFound { .. })));
    let not_waiting = state.approve_decision(decision_id(1), &effects, "zoé", NOW).await;
    assert!(matches!(not_waiting, Err(StateError::Conflict(_))));
    assert_eq!(state.decision(decision_id(2)).await.unwrap(), None);
    assert_eq!(state.ticket("TKT-0002").await.unwrap(), None);
    // The number was given back.
    let saved = state.save_decisions(&verdict, &batch(3, DecisionStatus::Pending)).await.unwrap();
    assert_eq!(saved.tickets[0].id, "TKT-0002");
}

#[tokio::test]
async fn approvals_come_with_their_effects() {
    on_both(async |state| {
        let waiting = |n| ResponseBatch {
            decisions: vec![decision(n, 1, DecisionStatus::AwaitingApproval)],
            ..ResponseBatch::default()
        };
        state.save_response(&waiting(1)).await.unwrap();
        state.save_response(&waiting(2)).await.unwrap();
        assert_eq!(state.overview(NOW, NOW).await.unwrap().awaiting_approval, 2);

        let effects = batch(1, DecisionStatus::Pending);
        state.approve_decision(decision_id(1), &effects, "zoé", NOW).await.unwrap();
        assert_eq!(status(&state, 1).await, DecisionStatus::Pending);
        assert_eq!(state.active_bans().await.unwrap(), effects.bans);
        assert_eq!(
            state.outbox_due(Mode::Enforce, NOW, 10).await.unwrap()[0].entry,
            effects.outbox[0]
        );

        let refused = state.refuse_decision(decision_id(2), "ours", "zoé", NOW).await.unwrap();
        assert_eq!((refused.status, refused.reason.en.as_str()), (DecisionStatus::Undone, "ours"));
        state.save_response(&waiting(2)).await.unwrap();
        assert_eq!(status(&state, 2).await, DecisionStatus::Undone);

        let mut lifted = effects.bans[0].clone();
        (lifted.status, lifted.ended) = (BanStatus::Lifted, Some(NOW));
        let undoing = ResponseBatch { bans: vec![lifted.clone()], ..ResponseBatch::default() };
        state.undo_decision(decision_id(1), &undoing, "zoé", NOW).await.unwrap();
        assert_eq!(status(&state, 1).await, DecisionStatus::Undone);
        assert_eq!(state.ban(&lifted.id).await.unwrap(), Some(lifted));
        let again = state.undo_decision(decision_id(1), &undoing, "zoé", NOW).await;
        assert!(matches!(again, Err(StateError::Conflict(_))));
        let audit = state.audit(&AuditFilter::default(), &PageRequest::default()).await.unwrap();
        let actions: Vec<_> = audit.items.iter().map(|row| row.action.as_str()).collect();
        assert_eq!(actions, ["decision.undo", "decision.refuse", "decision.approve"]);
    })
    .await;
}

#[tokio::test]
async fn bans_end_by_the_clock_or_by_hand_and_are_remembered() {
    on_both(async |state| {
        for (n, mode) in [(1, Mode::Enforce), (2, Mode::Enforce), (3, Mode::DryRun)] {
            let mut batch = batch(n, DecisionStatus::Applied);
            batch.bans[0].mode = mode;
            batch.bans[0].expires = Some(NOW.plus_seconds(100 * n as i64));
            batch.outbox.clear();
            state.save_response(&batch).await.unwrap();
        }
        // Made longer, never shorter.
        state
            .save_response(&ResponseBatch { bans: vec![ban(2, 150)], ..ResponseBatch::default() })
            .await
            .unwrap();
        let stored = state.ban(&ban(2, 0).id).await.unwrap().unwrap();
        assert_eq!(stored.expires, Some(NOW.plus_seconds(200)));
        state
            .save_response(&ResponseBatch { bans: vec![ban(2, 250)], ..ResponseBatch::default() })
            .await
            .unwrap();

        assert_eq!(state.expire_bans(NOW.plus_seconds(99)).await.unwrap(), []);
        let expired = state.expire_bans(NOW.plus_seconds(100)).await.unwrap();
        assert_eq!(
            expired.iter().map(|ban| ban.decision).collect::<Vec<_>>(),
            [Some(decision_id(1))]
        );
        assert_eq!(status(&state, 1).await, DecisionStatus::Expired);

        let now = NOW.plus_seconds(110);
        let lifted = state.lift_ban(&ban(2, 0).id, "zoé", now).await.unwrap();
        assert_eq!((lifted.status, lifted.ended), (BanStatus::Lifted, Some(now)));
        assert_eq!(lifted.ended_by.as_deref(), Some("zoé"));
        assert_eq!(status(&state, 2).await, DecisionStatus::Undone);
        state.lift_ban(&ban(3, 0).id, "zoé", now).await.unwrap();
        let simulated = state.outbox_due(Mode::DryRun, now, 10).await.unwrap();
        assert_eq!(simulated.len(), 1, "the dry run lifts as if");
        assert_eq!(simulated[0].entry.payload["network"], "203.0.113.3/32");
        let due = state.outbox_due(Mode::Enforce, now, 10).await.unwrap();
        assert_eq!(due.len(), 1, "what is simulated never comes among the real ones");
        assert_eq!(due[0].entry.payload["operation"], "remove");
        assert_eq!(due[0].entry.payload["network"], "203.0.113.2/32");
        state.outbox_done(&due[0].entry.key, Some((DecisionStatus::Applied, None))).await.unwrap();
        assert_eq!(status(&state, 2).await, DecisionStatus::Undone, "people have the last word");

        for (id, expected) in [(ban(2, 0).id, "lifted"), (ban(1, 0).id, "expired")] {
            let error = state.lift_ban(&id, "zoé", now).await.unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        // A replay does not bring it back.
        state.save_response(&batch(2, DecisionStatus::Pending)).await.unwrap();
        assert_eq!(state.active_bans().await.unwrap(), []);
        let history = BanFilter { target: Some(net("203.0.113.1/32")), ..BanFilter::default() };
        let page = state.bans(&history, &PageRequest::default()).await.unwrap();
        assert_eq!(page.items, expired);
        let active = state.bans(&BanFilter::active(), &PageRequest::default()).await.unwrap();
        assert_eq!(active.items, []);

        let mut by_hand = ban(9, 500);
        (by_hand.incident, by_hand.decision) = (None, None);
        state.add_ban(&by_hand, &[effect("by hand", 9)], "zoé", now).await.unwrap();
        assert_eq!(state.active_bans().await.unwrap(), [by_hand.clone()]);
        let twice = state.add_ban(&by_hand, &[], "zoé", now).await;
        assert!(matches!(twice, Err(StateError::Conflict(_))));
    })
    .await;
}

#[tokio::test]
async fn effects_are_tried_until_done_or_given_up() {
    on_both(async |state| {
        state.save_response(&batch(1, DecisionStatus::Pending)).await.unwrap();
        assert!(state.queue(&effect("mail", 7)).await.unwrap());
        assert!(!state.queue(&effect("mail", 7)).await.unwrap(), "each key once");
        let due = async |seconds: i64| {
            let due = state.outbox_due(Mode::Enforce, NOW.plus_seconds(seconds), 10).await.unwrap();
            due.into_iter().map(|item| (item.entry.key, item.attempts)).collect::<Vec<_>>()
        };
        assert_eq!(due(-1).await, []);
        assert_eq!(due(0).await, [("effect 1".to_owned(), 0), ("mail".to_owned(), 0)]);
        let next: Option<Timestamp> = Some(NOW.plus_seconds(30));
        state.outbox_failed("effect 1", "busy", next).await.unwrap();
        assert_eq!(due(29).await, [("mail".to_owned(), 0)]);
        state.outbox_done("mail", None).await.unwrap();
        assert_eq!(due(30).await, [("effect 1".to_owned(), 1)]);
        assert_eq!(status(&state, 1).await, DecisionStatus::Pending);

        state.outbox_failed("effect 1", &"é".repeat(5_000), None).await.unwrap();
        assert_eq!(due(999).await, []);
        assert_eq!(status(&state, 1).await, DecisionStatus::Failed);
        let dead = state.outbox(&[OutboxStatus::Dead], &PageRequest::default()).await.unwrap();
        assert_eq!((dead.items.len(), dead.items[0].attempts), (1, 2));
        assert_eq!(dead.items[0].last_error.as_deref(), Some("é".repeat(1_000).as_str()));
        assert_eq!(state.overview(NOW, NOW).await.unwrap().dead_letters, 1);
        assert!(matches!(state.outbox_done("x", None).await, Err(StateError::NotFound { .. })));
    })
    .await;
}

#[tokio::test]
async fn tickets_close_and_open_again() {
    let state = State::in_memory().await.unwrap();
    let tickets = vec![ticket("a"), ticket("b"), ticket("a")];
    let batch = ResponseBatch { tickets, ..ResponseBatch::default() };
    let saved = state.save_response(&batch).await.unwrap();
    let ids: Vec<_> = saved.tickets.iter().map(|ticket| ticket.id.as_str()).collect();
    assert_eq!(ids, ["TKT-0001", "TKT-0002", "TKT-0001"]);

    let closed = TicketStatus::Closed;
    let changed = state.set_ticket_status("TKT-0001", closed, "zoé", NOW).await.unwrap();
    assert_eq!((changed.status, changed.closed), (closed, Some(NOW)));
    assert_eq!(state.ticket("TKT-0001").await.unwrap(), Some(changed));
    let open = TicketFilter { status: Some(TicketStatus::Open), ..TicketFilter::default() };
    let page = state.tickets(&open, &PageRequest::default()).await.unwrap();
    assert_eq!(page.items, [saved.tickets[1].clone()]);
    let again = state.set_ticket_status("TKT-0001", TicketStatus::Open, "zoé", NOW).await.unwrap();
    assert_eq!(again, saved.tickets[0]);
    for id in ["TKT-0003", "TKT-0", "TKT--1", "1", ""] {
        let missing = state.set_ticket_status(id, closed, "zoé", NOW).await;
        assert!(matches!(missing, Err(StateError::NotFound { .. })), "{id}");
    }
}
