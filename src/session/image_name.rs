//! The name by which a template asks for an image, taken apart.

/// A name like `registry.example/course/web:2026` or `course/web@sha256:…`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ImageName<'a> {
    /// Registry and path, without tag and digest.
    pub repository: &'a str,
    /// What stands behind `@`, or else behind the tag's colon; `latest` if neither does.
    pub version: &'a str,
}

impl<'a> ImageName<'a> {
    /// Takes a name apart. A digest wins over a tag before it, as it does for the engine.
    #[must_use]
    pub fn of(name: &'a str) -> Self {
        let (tagged, digest) = match name.split_once('@') {
            Some((tagged, digest)) => (tagged, Some(digest)),
            None => (name, None),
        };
        // A colon before the last slash is the port of a registry.
        let path_from = tagged.rfind('/').map_or(0, |slash| slash + 1);
        let (repository, tag) = match tagged[path_from..].split_once(':') {
            Some((path, tag)) => (&tagged[..path_from + path.len()], tag),
            None => (tagged, "latest"),
        };
        Self { repository, version: digest.unwrap_or(tag) }
    }

    /// Whether it names one content for ever.
    #[must_use]
    pub fn is_pinned(&self) -> bool {
        self.version.contains(':')
    }

    /// For an image of this project, what `images/build` calls it. Such images are made on this
    /// machine: a public registry may have others under the same name, which must not be fetched.
    #[must_use]
    pub fn built_here(&self) -> Option<&'a str> {
        // The engine takes these names of the public registry for the same as none.
        let public = ["docker.io/", "index.docker.io/"];
        let path =
            public.iter().find_map(|host| self.repository.strip_prefix(host)).unwrap_or(self.repository);
        path.strip_prefix("berth/").filter(|image| !image.is_empty() && !image.contains('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_a_repository_and_a_version() {
        for (name, repository, version) in [
            ("debian", "debian", "latest"),
            ("berth/desktop", "berth/desktop", "latest"),
            ("berth/desktop:1.2", "berth/desktop", "1.2"),
            ("localhost:5000/web", "localhost:5000/web", "latest"),
            ("localhost:5000/web:2", "localhost:5000/web", "2"),
            ("r.example/a/b@sha256:00ff", "r.example/a/b", "sha256:00ff"),
            ("r.example:443/a:1@sha256:00ff", "r.example:443/a", "sha256:00ff"),
        ] {
            assert_eq!(ImageName::of(name), ImageName { repository, version }, "{name}");
        }
        assert!(ImageName::of("a@sha256:00ff").is_pinned() && !ImageName::of("a:1").is_pinned());
    }

    #[test]
    fn only_this_project_s_own_images_are_built_here() {
        for own in ["berth/desktop:1", "docker.io/berth/desktop"] {
            assert_eq!(ImageName::of(own).built_here(), Some("desktop"), "{own}");
        }
        for other in
            ["berth", "berth/", "berth/a/b", "r.example/berth/desktop", "localhost:5000/berth/x", "a/berth"]
        {
            assert_eq!(ImageName::of(other).built_here(), None, "{other}");
        }
    }
}
