//! Answers that are known already, by the fingerprint of the question.

use std::collections::{HashMap, VecDeque};

use super::ask::Asked;

/// The newest answers.
#[derive(Clone, Debug)]
pub struct Cache {
    most: usize,
    answers: HashMap<u64, Asked>,
    order: VecDeque<u64>,
}

impl Cache {
    /// A cache of at most `most` answers.
    pub fn new(most: usize) -> Self {
        Self { most, answers: HashMap::new(), order: VecDeque::new() }
    }

    /// The answer to a question with this fingerprint.
    pub fn get(&self, fingerprint: u64) -> Option<&Asked> {
        self.answers.get(&fingerprint)
    }

    /// Keeps an answer; the oldest makes room.
    pub fn put(&mut self, fingerprint: u64, asked: Asked) {
        if self.answers.insert(fingerprint, asked).is_none() {
            self.order.push_back(fingerprint);
        }
        while self.order.len() > self.most {
            if let Some(oldest) = self.order.pop_front() {
                self.answers.remove(&oldest);
            }
        }
    }
}
