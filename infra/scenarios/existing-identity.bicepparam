// The app gets an identity that is there already, and settings of its own.
using '../azuredeploy.json'

param workspaceResourceId = '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/connector/providers/Microsoft.OperationalInsights/workspaces/sentinel'
param packageUri = 'https://packages.example.com/released-package.zip'
param sentinelOneUrl = 'https://tenant.sentinelone.example.com'
param existingIdentityResourceId = '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/identities/providers/Microsoft.ManagedIdentity/userAssignedIdentities/reader'
param additionalSettings = {
  POLL_LOOKBACK: '24h'
  POLL_SCHEDULE: '0 0 * * * *'
}
