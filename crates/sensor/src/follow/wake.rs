//! Sleeping until a file may have changed.
//!
//! On Linux inotify ends the sleep early. What happened is not asked: the reader looks at every
//! file, which costs one system call each where nothing changed. Elsewhere, and where inotify is
//! not to be had, the poll interval alone ends it.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

#[cfg(target_os = "linux")]
mod system {
    use std::os::fd::{AsRawFd, OwnedFd};

    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::fs::inotify::{self, CreateFlags, WatchFlags};

    use super::{Duration, File, Path};

    pub(in crate::follow) struct Wake(Option<OwnedFd>);

    impl Wake {
        pub fn new() -> Self {
            let inotify = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC);
            if let Err(error) = &inotify {
                tracing::warn!(%error, "no inotify; files are looked at every 100 ms");
            }
            Self(inotify.ok())
        }

        /// Wakes when the file is written, cut, renamed or deleted. The answer ends the watch.
        pub fn watch_file(&self, file: &File) -> Option<i32> {
            // By its descriptor: the name may lead elsewhere by now.
            let path = format!("/proc/self/fd/{}", file.as_raw_fd());
            let events = WatchFlags::MODIFY
                | WatchFlags::ATTRIB
                | WatchFlags::MOVE_SELF
                | WatchFlags::DELETE_SELF;
            inotify::add_watch(self.0.as_ref()?, path, events).ok()
        }

        /// Wakes when a name appears in or vanishes from the folder.
        pub fn watch_folder(&self, folder: &Path) {
            let Some(inotify) = &self.0 else { return };
            let events = WatchFlags::CREATE
                | WatchFlags::DELETE
                | WatchFlags::MOVED_FROM
                | WatchFlags::MOVED_TO
                | WatchFlags::ONLYDIR;
            // A folder that is missing yet is tried again; until then polling serves.
            let _ = inotify::add_watch(inotify, folder, events);
        }

        pub fn unwatch(&self, watch: i32) {
            if let Some(inotify) = &self.0 {
                // The kernel has ended the watch already if the file is gone.
                let _ = inotify::remove_watch(inotify, watch);
            }
        }

        /// Sleeps until something happened or `timeout` is over.
        pub fn wait(&self, timeout: Duration) {
            let Some(inotify) = &self.0 else {
                std::thread::sleep(timeout);
                return;
            };
            let mut descriptors = [PollFd::new(inotify, PollFlags::IN)];
            let timespec = Timespec::try_from(timeout).ok();
            if poll(&mut descriptors, timespec.as_ref()) == Ok(0) {
                return;
            }
            let mut events = [0_u8; 16 * 1024];
            while rustix::io::read(inotify, &mut events).is_ok_and(|count| count > 0) {}
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use super::{Duration, File, Path};

    pub(in crate::follow) struct Wake;

    impl Wake {
        pub fn new() -> Self {
            Self
        }

        pub fn watch_file(&self, _: &File) -> Option<i32> {
            None
        }

        pub fn watch_folder(&self, _: &Path) {}

        pub fn unwatch(&self, _: i32) {}

        pub fn wait(&self, timeout: Duration) {
            std::thread::sleep(timeout);
        }
    }
}

pub(super) use system::Wake;
