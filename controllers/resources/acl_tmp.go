package resources

const storeUser = "postern"

var storeRules = []string{"on", "nopass"}
