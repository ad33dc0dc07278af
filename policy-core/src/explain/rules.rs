//! The table of rules: a stable code, the upstream symbol it mirrors, and its long text.

use core::fmt;
use serde::{Serialize, Serializer};

macro_rules! rules {
    ($($(#[doc = $doc:literal])+ $name:ident = $domain:literal, $code:literal, $upstream:literal;)+) => {
        /// A rule of the Job or CronJob controller. Codes are stable; `jobpolicy explain CODE` prints the text.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Rule { $($(#[doc = $doc])+ $name,)+ }

        impl Rule {
            /// Every rule, in the order in which the controllers come to them.
            pub const ALL: &'static [Rule] = &[$(Rule::$name,)+];

            /// The stable code, for example `backoff-limit-exceeded`.
            pub fn code(self) -> &'static str {
                match self { $(Rule::$name => $code,)+ }
            }

            /// `"job"` or `"cronjob"`.
            pub fn domain(self) -> &'static str {
                match self { $(Rule::$name => $domain,)+ }
            }

            /// The upstream symbol that the rule mirrors.
            pub fn upstream(self) -> &'static str {
                match self { $(Rule::$name => $upstream,)+ }
            }

            /// The long text: the rule's documentation.
            pub fn text(self) -> &'static str {
                match self { $(Rule::$name => concat!($($doc, "\n",)+),)+ }
            }
        }
    };
}

rules! {
    /// The Job is suspended: its active Pods are deleted and none are created.
    ///
    /// `spec.suspend` is true. Pods that are deleted this way lose their finalizer first, so they are not counted
    /// as failed. The 500 limit does not apply to these deletions.
    JobSuspended = "job", "job-suspended", "manageJob";
}

impl Rule {
    /// The rule with that code.
    pub fn by_code(code: &str) -> Option<Rule> {
        Rule::ALL.iter().copied().find(|rule| rule.code() == code)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}
