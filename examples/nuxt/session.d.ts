// The type of `event.context.session`, in pages, too.
import "kocha-session/h3";
