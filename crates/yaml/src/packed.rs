//! Documents that were read ahead, in [postcard](https://postcard.jamesmunns.com)'s form.

use crate::{Document, Node, Position, Refusal};

/// Writes documents down as they were read, for [`unpack`].
///
/// # Errors
/// The first of them that could not be read.
pub fn pack(documents: Vec<Document>) -> Result<Vec<u8>, Refusal> {
    let mut roots: Vec<(usize, Node)> = Vec::with_capacity(documents.len());
    for Document { line, root } in documents {
        roots.push((line, root?));
    }
    postcard::to_allocvec(&roots)
        .map_err(|error| Refusal::new(Position::default(), error.to_string(), ""))
}

/// Reads what [`pack`] wrote; of what is cut or changed one document that is refused. For bytes of
/// one's own only: how deep they nest is bounded when they are packed, not here.
pub fn unpack(packed: &[u8]) -> Vec<Document> {
    match postcard::from_bytes::<Vec<(usize, Node)>>(packed) {
        Ok(roots) => {
            roots.into_iter().map(|(line, root)| Document { line, root: Ok(root) }).collect()
        }
        Err(error) => {
            let at = Position { line: 1, column: 1 };
            let message = format!("documents that were read ahead are damaged: {error}");
            vec![Document { line: 1, root: Err(Refusal::new(at, message, "build it again")) }]
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::documents;

    const TEXT: &str = "a: 1\nb: [x, 2.50, ~, true, {c: 'd'}]\n---\n- é\n";

    fn roots(documents: Vec<Document>) -> Vec<(usize, Node)> {
        documents.into_iter().map(|document| (document.line, document.root.unwrap())).collect()
    }

    #[test]
    fn what_is_unpacked_is_what_was_packed() {
        let packed = pack(documents(TEXT)).unwrap();
        assert_eq!(roots(unpack(&packed)), roots(documents(TEXT)));
    }

    #[test]
    fn what_cannot_be_read_is_not_packed() {
        assert_eq!(pack(documents("a: 1\n---\nb: [\n")).unwrap_err().at.line, 4);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(cut in 0..60_usize, bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let mut packed = pack(documents(TEXT)).unwrap();
            packed.truncate(cut);
            packed.extend(bytes);
            unpack(&packed);
        }
    }
}
