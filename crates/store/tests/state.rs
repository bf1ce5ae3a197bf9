//! The state's promises, on a file and in memory.

use vigie_store::state::{IncidentFilter, PageRequest, State};

fn send<T: Send>(future: T) -> T {
    future
}

#[tokio::test]
async fn opens_empty() {
    let state = State::in_memory().await.unwrap();
    let filter = IncidentFilter::default();
    let page = PageRequest::default();
    let page = send(state.incidents(&filter, &page)).await.unwrap();
    assert!(page.items.is_empty());
    let state2 = state.clone();
    tokio::spawn(async move {
        state2.create_user("a", Default::default(), None, "x", Default::default()).await
    })
    .await
    .unwrap()
    .unwrap();
}
