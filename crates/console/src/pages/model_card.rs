//! How is the language model doing?

use vigie_event::{ModelStatus, Timestamp};
use vigie_store::state::State;

use crate::failure::Failure;
use crate::i18n::Text;
use crate::shown::Shown;

/// The model's card on the overview.
pub(crate) struct ModelCard {
    pub model: Shown,
    pub url: Shown,
    pub reachable: bool,
    pub problem: Option<Shown>,
    pub latency: Option<String>,
    /// Key of whether answers are held to the schema.
    pub enforced: &'static str,
    pub form: String,
    pub checked: Timestamp,
    pub verdicts: u64,
    pub waiting: u64,
    pub fallbacks: u64,
    pub tokens_today: u64,
    /// Share of second verdicts that agree with the first, and how many there are.
    pub agreement: Option<(u8, u64)>,
}

impl ModelCard {
    /// The card; `None` where no model is configured.
    pub(crate) async fn read(state: &State, t: Text) -> Result<Option<Self>, Failure> {
        let Some(status) = state.model_status().await? else { return Ok(None) };
        let agreement = state.agreement().await?;
        let share = (agreement.agree * 100).checked_div(agreement.verdicts);
        let share = share.and_then(|share| u8::try_from(share).ok());
        Ok(Some(Self::of(&status, share.map(|share| (share, agreement.verdicts)), t)))
    }

    fn of(status: &ModelStatus, agreement: Option<(u8, u64)>, t: Text) -> Self {
        Self {
            model: Shown::cut(&status.model, 80),
            url: Shown::cut(&status.url, 120),
            reachable: status.reachable,
            problem: (!status.problem.is_empty()).then(|| Shown::prose(&status.problem)),
            latency: status.latency_ms.map(|latency| t.decimal(f64::from(latency) / 1_000.0)),
            enforced: match status.schema_enforced {
                Some(true) => "model-enforced-yes",
                Some(false) => "model-enforced-no",
                None => "model-enforced-unknown",
            },
            form: status.form.clone(),
            checked: status.checked,
            verdicts: status.verdicts,
            waiting: status.waiting,
            fallbacks: status.fallbacks,
            tokens_today: status.tokens_today,
            agreement,
        }
    }
}
