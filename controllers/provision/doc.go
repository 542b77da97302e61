// Package provision applies the WebhookReceiver that an installation brings
// along and gives to the manager as an argument: a package manager such as Helm
// cannot install a kind and the first object of that kind in one step, because
// it looks up every kind before it installs anything.
//
// It imports api and controllers/meta; what the object leads to is the work of
// controllers/fleet.
package provision
