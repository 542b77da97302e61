package verify

// table lists every built-in provider. A new one is a row in the file of its
// kind; a new kind is a file and a line here.
func table() [][]preset {
	return [][]preset{
		presetsCode,
		presetsPayments,
		presetsCommerce,
		presetsChat,
		presetsSpecial(),
		presetsTokens(),
		presetsWork,
		presetsOperations,
		presetsMail,
		presetsNone,
		presetsStandard,
	}
}
