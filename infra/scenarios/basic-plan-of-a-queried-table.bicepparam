// A table of the plan Basic, which alert rules cannot read.
using '../azuredeploy.json'

param workspaceResourceId = '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/connector/providers/Microsoft.OperationalInsights/workspaces/sentinel'
param packageUri = ''
param sentinelOneUrl = 'https://example.sentinelone.net'
param tableOptions = {
  SentinelConnectorHealth_CL: {
    plan: 'Basic'
  }
}
