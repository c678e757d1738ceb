//! Enumerations and tables whose values have names in flags and files.

/// Declares an enumeration with the name of each value, and lists its values and names.
macro_rules! named {
    (
        $(#[$attribute:meta])*
        pub enum $type:ident {
            $($(#[$of_value:meta])* $value:ident = $name:literal,)+
        }
    ) => {
        $(#[$attribute])*
        pub enum $type {
            $($(#[$of_value])* $value,)+
        }

        impl $type {
            /// All values, in the order of help and messages.
            pub const ALL: [$type; $type::NAMES.len()] = [$($type::$value,)+];

            /// The names of all values.
            pub const NAMES: [&'static str; [$($name,)+].len()] = [$($name,)+];

            /// The name in flags and files.
            pub const fn name(self) -> &'static str {
                match self {
                    $($type::$value => $name,)+
                }
            }
        }
    };
}

/// The names of all rows of a constant table whose rows have a `name`.
macro_rules! names_of {
    ($table:ident) => {{
        let mut names = [""; $table.len()];
        let mut index = 0;
        while index < names.len() {
            names[index] = $table[index].name;
            index += 1;
        }
        names
    }};
}

pub(crate) use {named, names_of};
